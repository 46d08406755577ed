// <kaf-parallel-chart>: a line a row over the axes of its settings and figures; under the pointer, or by Tab, one stands out.
import { css, svg } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { LegendEntry } from '../charts/pictureHead.ts';
import type { PictureTable } from '../charts/pictureTable.ts';
import { SvgChart, svgChartSheet } from '../charts/svgChart.ts';
import type { ParallelAxis } from './parallelAxes.ts';

export interface ParallelLine {
  readonly name: string;
  readonly color: string;
  /** All that stands on it, in words. */
  readonly said: string;
}

const margin = { left: 40, right: 40, top: 30, bottom: 24 };

@customElement('kaf-parallel-chart')
export class ParallelChart extends SvgChart {
  static override styles = [
    ...svgChartSheet,
    css`
      text {
        paint-order: stroke;
        stroke: var(--kaf-card);
        stroke-width: 3px;
      }
      .title {
        fill: var(--kaf-foreground);
      }
      .axis {
        stroke: var(--kaf-line);
      }
      path {
        fill: none;
        stroke-width: 1.6;
        outline: none;
      }
      .other {
        opacity: 0.18;
      }
      .chosen {
        stroke-width: 3;
      }
      .hit {
        stroke: transparent;
        stroke-width: 12;
        pointer-events: stroke;
      }
    `,
  ];

  @property({ attribute: false }) axes: readonly ParallelAxis[] = [];
  @property({ attribute: false }) lines: readonly ParallelLine[] = [];
  @state() private chosen: number | null = null;
  protected readonly height = 300;

  override asTable(): PictureTable {
    return {
      columns: ['name', ...this.axes.map(({ title }) => title)],
      rows: this.lines.map(({ name }, row) => [name, ...this.axes.map(({ values }) => values[row]!)]),
    };
  }

  protected override legend(): readonly LegendEntry[] {
    return this.lines;
  }

  override render(): unknown {
    const { height } = this;
    const { axes, lines, chosen } = this;
    const { width } = this.watch;
    const x = (index: number) =>
      margin.left + (index / Math.max(1, axes.length - 1)) * (width - margin.left - margin.right);
    const y = (place: number) => height - margin.bottom - place * (height - margin.bottom - margin.top);
    const room = (width - margin.left - margin.right) / Math.max(1, axes.length - 1);
    const anchorOf = (index: number) => (index === 0 ? 'start' : index === axes.length - 1 ? 'end' : 'middle');
    const edgeOf = (index: number) => (index === 0 ? 4 : index === axes.length - 1 ? width - 4 : x(index));
    const labelOf = (text: string, nPixels: number) => {
      const most = Math.max(4, Math.floor(nPixels / 6.5));
      return text.length > most ? `${text.slice(0, most - 1)}…` : text;
    };
    const paths = lines.map((_, row) => pathOf(axes.map(({ places }, index) => [x(index), y(places[row]!)] as const)));
    const marks = svg`
      ${paths.map(
        (path, row) =>
          svg`<path class=${chosen === null ? '' : chosen === row ? 'chosen' : 'other'} d=${path} stroke=${lines[row]!.color}></path>`,
      )}
      ${axes.map(
        ({ title, ticks }, index) => svg`<line class="axis" x1=${x(index)} x2=${x(index)} y1=${y(0)} y2=${y(1)}></line>
          <text class="title" x=${edgeOf(index)} y="13" text-anchor=${anchorOf(index)}>${labelOf(title, room)}<title>${title}</title></text>
          ${ticks.map(
            ({ text, place }) =>
              svg`<text x=${x(index) + (index === axes.length - 1 ? -6 : 6)} y=${y(place) + 4} text-anchor=${index === axes.length - 1 ? 'end' : 'start'}>${labelOf(text, room - 12)}</text>`,
          )}`,
      )}
      ${paths.map(
        (path, row) => svg`<path
          class="hit"
          d=${path}
          role="img"
          tabindex="0"
          aria-label=${lines[row]!.said}
          @pointerenter=${() => (this.chosen = row)}
          @pointerleave=${() => (this.chosen = null)}
          @focus=${() => (this.chosen = row)}
          @blur=${() => (this.chosen = null)}
        ></path>`,
      )}
      <text class="name" x=${width / 2} y=${height - 5} text-anchor="middle">
        ${chosen === null ? '' : labelOf(lines[chosen]?.said ?? '', width - 20)}
      </text>`;
    return this.renderChart(marks, `${lines.length} lines over ${axes.map(({ title }) => title).join(', ')}`, 'group');
  }
}

/** Broken where a row has no value. */
function pathOf(points: readonly (readonly [x: number, y: number])[]): string {
  let path = '';
  let isOpen = false;
  for (const [x, y] of points) {
    if (Number.isNaN(y)) {
      isOpen = false;
      continue;
    }
    path += `${isOpen ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
    isOpen = true;
  }
  return path;
}
