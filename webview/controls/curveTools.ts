// The tools above curves, those of one run as those of many: which of them, how smooth, on which axes, and back from a zoom.
import { html, nothing, type TemplateResult } from 'lit';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import type { YScale } from '../charts/curve.ts';
import { sliderOf, smoothingOf, withoutChosenY, type CurveAxis, type CurveView } from '../curves/curveView.ts';
import type { Segment } from './segments.ts';
import './segments.ts';

export interface CurveToolsOptions {
  readonly view: CurveView;
  readonly change: (change: Partial<CurveView>) => void;
  /** What is seen without a zoom. */
  readonly whole: string;
  /** By whom curves are smoothed: `elsewhere` it is asked for, once the slider is let go. */
  readonly smoothing: 'here' | 'elsewhere' | 'none';
  /** Whether y is logarithmic, whatever is chosen. */
  readonly isLogOnly?: boolean;
  /** Others, at their end. */
  readonly more?: unknown;
}

export function curveTools(options: CurveToolsOptions): TemplateResult {
  const { view, change } = options;
  const isZoomed = view.zoom !== null || Object.values(view.cards).some(({ y }) => y);
  return html`<div class="tools">
    <vscode-textfield
      placeholder="filter curves (regex)"
      label="Filter curves by a regular expression"
      .value=${view.filter}
      @input=${(event: Event) => {
        change({ filter: (event.target as HTMLInputElement).value });
      }}
    ></vscode-textfield>
    ${options.smoothing === 'none' ? nothing : smoothingSlider(options)}
    ${segments('Horizontal axis', axes, view.axis, (axis) => {
      change({ axis: axis as CurveAxis, zoom: null });
    })}
    ${segments('Scale of x', xScales, view.xScale, (xScale) => {
      change({ xScale: xScale as YScale });
    })}
    ${
      options.isLogOnly
        ? nothing
        : segments('Scale of y', yScales, view.yScale, (yScale) => {
            change({ yScale: yScale as YScale, cards: withoutChosenY(view.cards) });
          })
    }
    <label
      ><input
        type="checkbox"
        .checked=${view.isWithoutOutliers}
        @change=${(event: Event) => {
          const isWithoutOutliers = (event.target as HTMLInputElement).checked;
          change({ isWithoutOutliers, cards: withoutChosenY(view.cards) });
        }}
      />y without outliers</label
    >
    <button
      class="link reserved"
      ?disabled=${!isZoomed}
      @click=${() => {
        change({ zoom: null, cards: withoutChosenY(view.cards) });
      }}
    >
      ${options.whole}
    </button>
    ${options.more}
  </div>`;
}

function smoothingSlider({ view, change, smoothing }: CurveToolsOptions): TemplateResult {
  const smoothen = (event: Event): void => {
    if (smoothing === 'elsewhere' && event.type === 'input') return;
    change({ smoothing: smoothingOf(Number((event.target as HTMLInputElement).value)) });
  };
  return html`<label
    >smoothing
    <input
      type="range"
      min="0"
      max="1"
      step="0.01"
      .value=${sliderOf(view.smoothing).toString()}
      @input=${smoothen}
      @change=${smoothen}
    />
    <b>${view.smoothing.toString()}</b></label
  >`;
}

/** One choice of a few. */
export function segments(
  label: string,
  choices: readonly Segment[],
  value: string,
  chosen: (value: string) => void,
): TemplateResult {
  return html`<kaf-segments
    label=${label}
    .segments=${choices}
    .value=${value}
    @chosen=${(event: CustomEvent<{ value: string }>) => {
      chosen(event.detail.value);
    }}
  ></kaf-segments>`;
}

const axes = (['step', 'epoch', 'relative', 'wall'] as const).map((value) => ({ value, text: value }));
const xScales = [
  { value: 'linear', text: 'x lin' },
  { value: 'log', text: 'x log' },
];
const yScales = [
  { value: 'linear', text: 'y lin' },
  { value: 'log', text: 'y log' },
];
