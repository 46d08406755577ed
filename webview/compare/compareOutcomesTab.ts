// <kaf-compare-outcomes>: what several runs came to: what their attacks left standing, or how far an attack moves what their layers answer; who is
// who is said beside the curves.
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { RunOutcome } from '../../server/protocol/outcomes.ts';
import type { ComparedRun } from '../../server/protocol/panel.ts';
import '../charts/lineChart.ts';
import {
  cardClass,
  cardFrameSheet,
  frameButtons,
  frameHandle,
  pinnedFirst,
  type CardFrames,
} from '../controls/cardFrame.ts';
import { segments } from '../controls/curveTools.ts';
import '../controls/face.ts';
import { formatCount } from '../text/numbers.ts';
import type { Palette } from '../theme/palette.ts';
import { baseSheet, cardSheet, findingSheet, toolsSheet } from '../theme/sheets.ts';
import { bands, readingFace, toldCurves, toldSheet } from './compareFace.ts';
import { areSameRuns, groupRuns } from './compareTable.ts';
import { changeCompareView, groupingOf, type CompareView } from './compareView.ts';
import { attackCards, shiftCards, shiftLooks, type OutcomeCard } from './outcomeCards.ts';

@customElement('kaf-compare-outcomes')
export class CompareOutcomesTab extends LitElement {
  static override styles = [
    baseSheet,
    cardSheet,
    toolsSheet,
    findingSheet,
    cardFrameSheet,
    toldSheet,
    css`
      kaf-line-chart {
        height: 250px;
      }
    `,
  ];

  /** Those shown. */
  @property({ attribute: false }) runs: readonly ComparedRun[] = [];
  @property({ attribute: false }) view!: CompareView;
  @property({ attribute: false }) palette!: Palette;
  /** By run, of those that are known. */
  @property({ attribute: false }) outcomes: ReadonlyMap<string, RunOutcome> = new Map();
  @property({ attribute: false }) colorOf: (key: string) => string = () => '';
  /** Whether some could not be read, which the page says. */
  @property({ type: Boolean }) hasFailed = false;
  @property() of: 'attacks' | 'shifts' = 'attacks';
  @state() private cursor: { readonly name: string; readonly x: number } | null = null;
  private cards: readonly OutcomeCard[] = [];

  protected override willUpdate(changed: PropertyValues): void {
    // How runs stand changes ten times a second, what they came to now and then.
    const before = changed.get('runs') as readonly ComparedRun[] | undefined;
    const isOfSame = before !== undefined && areSameRuns(before, this.runs);
    if ([...changed.keys()].every((key) => key === 'cursor' || (key === 'runs' && isOfSame))) return;
    const { view, colorOf, palette, runs } = this;
    const known = new Map(
      runs.flatMap(({ run }) => {
        const outcome = this.outcomes.get(run.id);
        return outcome ? [[run.id, outcome] as const] : [];
      }),
    );
    const options = { rows: groupRuns(runs, groupingOf(view)), outcomes: known, view, colorOf, palette };
    this.cards = this.of === 'attacks' ? attackCards(options) : shiftCards(options);
  }

  override render(): unknown {
    const cards = pinnedFirst(this.cards, this.view.cards, ({ name }) => name);
    return html`${this.renderTools()}
    ${
      cards.length > 0
        ? html`<div class="grid">
            ${repeat(
              cards,
              ({ name }) => name,
              (card) => this.renderCard(card),
            )}
          </div>`
        : this.renderNone()
    }`;
  }

  private renderTools(): unknown {
    const looks = this.of === 'shifts' ? shiftLooks(this.runs.map(({ run }) => this.outcomes.get(run.id))) : [];
    if (this.view.grouping === 'run' && looks.length === 0) return nothing;
    return html`<div class="tools">
        ${
          this.view.grouping === 'run'
            ? nothing
            : segments('Band', bands, this.view.band, (band) => {
                changeCompareView(this, { band: band as CompareView['band'] });
              })
        }
        ${looks.length === 1 ? html`<span>${looks[0]}, at the last test</span>` : nothing}
      </div>
      ${
        looks.length > 1
          ? html`<div class="finding warning" role="status">
              <b>These runs were not looked at alike</b>
              <p>${looks.join('; ')}. Their shifts can’t be compared as they are.</p>
            </div>`
          : nothing
      }`;
  }

  private renderNone(): unknown {
    if (this.hasFailed) return nothing;
    if (this.runs.some(({ run }) => !this.outcomes.has(run.id))) return readingFace;
    return this.of === 'attacks'
      ? html`<kaf-face
          icon="shield"
          heading="Nothing was attacked"
          reason="Attack these runs by Evaluate in their dashboards, or name evaluations in the experiment file; what stands of each is compared here."
        ></kaf-face>`
      : html`<kaf-face
          icon="split-horizontal"
          heading="No shifts were recorded"
          reason="They come with the tests of a training whose experiment says observe: {shiftSamples: 32}."
        ></kaf-face>`;
  }

  private renderCard(card: OutcomeCard): unknown {
    const { name, subtitle, curves } = card;
    const { palette } = this;
    const frames = this.view.cards;
    const frame = frames[name] ?? {};
    const changeCards = (cards: CardFrames): void => {
      changeCompareView(this, { cards });
    };
    const at = this.cursor?.name === name ? this.cursor.x : null;
    const told = card.read(at);
    return html`<div class=${cardClass(frame)}>
      <h2>${name} <span>${subtitle}</span>${frameButtons(name, frames, changeCards)}</h2>
      <kaf-line-chart
        .curves=${curves}
        .xTicks=${card.xTicks}
        .xUnit=${card.xUnit}
        .formatX=${card.formatX}
        .yScale=${card.yScale}
        .formatY=${card.formatY}
        .cursor=${at}
        .palette=${palette}
        .heightPx=${frame.height ?? null}
        label="${name}, ${subtitle}, of ${formatCount(told.length)} curves: ${told.map((one) => `${one.name} ${one.text}`).join(', ')}"
        @cursor-moved=${(event: CustomEvent<{ x: number | null }>) => {
          const { x } = event.detail;
          this.cursor = x === null ? null : { name, x };
        }}
      ></kaf-line-chart>
      ${frameHandle(name, frames, changeCards)} ${toldCurves(told)}
    </div>`;
  }
}
