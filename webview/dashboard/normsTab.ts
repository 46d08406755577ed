// <kaf-norms-tab>: the norm of every weight and gradient: a map of layers by steps or lines, one line's curve, and its depth.
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { guard } from 'lit/directives/guard.js';
import { depthKinds, mainKind, type DepthKind } from '../../server/health/depthGain.ts';
import { isLive } from '../../server/protocol/run.ts';
import type { NonFiniteRow, RunSnapshot } from '../../server/protocol/snapshot.ts';
import type { Cell } from '../charts/heatMap.ts';
import '../charts/heatMap.ts';
import '../charts/lineChart.ts';
import type { Curve } from '../charts/curve.ts';
import type { Range } from '../curves/decimate.ts';
import { layerLines, normAt, NormTable, tensorLines, type NormLine, type NormQuantity } from '../curves/normTable.ts';
import '../controls/face.ts';
import '../controls/segments.ts';
import type { SeriesFeed } from '../state/seriesFeed.ts';
import type { DashboardState } from '../state/dashboardState.ts';
import { formatCount, formatNumber } from '../text/numbers.ts';
import { rampColor, type Palette } from '../theme/palette.ts';
import { baseSheet, cardSheet, findingSheet, tableSheet, toolsSheet } from '../theme/sheets.ts';
import { viridisGradient } from '../theme/viridis.ts';
import { acrossDepth, allLines, singleCurve, type DepthCurves } from './normCurves.ts';
import { numbersCard, quantityNames, type NormMoment } from './normNumbers.ts';
import { normSeries, type NormSeries } from './normSeries.ts';
import { normsSheet } from './normsSheet.ts';
import { changeView, type DashboardView } from './view.ts';

@customElement('kaf-norms-tab')
export class NormsTab extends LitElement {
  static override styles = [baseSheet, cardSheet, toolsSheet, tableSheet, findingSheet, normsSheet];

  @property({ attribute: false }) state!: DashboardState;
  @property({ attribute: false }) view!: DashboardView;
  @property({ attribute: false }) palette!: Palette;
  @property({ attribute: false }) feed: SeriesFeed | null = null;
  @property({ attribute: false }) finding: NonFiniteRow | null = null;
  @state() private cursor: number | null = null;
  @state() private range: Range | null = null;

  private table: NormTable | null = null;
  /** What the table was made from. */
  private source: unknown = null;
  private tableKey = '';
  private lineCurves: readonly Curve[] = [];
  private singleCurves: readonly Curve[] = [];
  private depth: DepthCurves | null = null;
  /** The norms shown in figures and across depth, and their row. */
  private moment: NormMoment | null = null;

  protected override willUpdate(changed: PropertyValues): void {
    const { snapshot } = this.state;
    if (!snapshot?.prepared || (changed.size === 1 && changed.has('cursor'))) return;
    this.style.setProperty('--scale', viridisGradient);
    const series = normSeries(this.feed, snapshot);
    this.updateTable(snapshot, series);
    const { table, palette } = this;
    if (!table) return;
    const { quantity, normStep } = this.view;
    const line = this.chosenLine();
    const whole = series?.curve(quantity, line, this.range) ?? null;
    this.singleCurves = singleCurve(snapshot.norms, table, line, palette, whole);
    const kind = this.depthKind(snapshot);
    const exact = normStep === null ? null : (series?.at(normStep, snapshot.prepared.parameters) ?? null);
    this.moment = exact ? { norms: exact, row: 0 } : { norms: snapshot.norms, row: this.logRow() };
    const { norms, row } = this.moment;
    this.depth = kind && acrossDepth({ norms, prepared: snapshot.prepared }, { quantity, row, kind }, palette);
    this.lineCurves =
      this.view.normView === 'lines'
        ? allLines(snapshot.norms, table, {
            hidden: new Set(this.view.hiddenLines),
            chosen: this.view.normLine,
            range: series ? null : this.range,
            colorOf: (index) => this.colorOf(index),
          })
        : [];
  }

  override render(): unknown {
    const { snapshot } = this.state;
    if (!snapshot) return nothing;
    if (snapshot.plan.observe.normsEverySteps === 0) {
      return html`<kaf-face
        icon="graph-scatter"
        heading="Norms are not observed"
        reason="The experiment says observe: {norms: 0}. Set it to 1 or more and train again to see the norm of every weight and gradient."
      ></kaf-face>`;
    }
    const { table } = this;
    if (!table || table.kept.length === 0 || !snapshot.prepared) {
      return html`<kaf-face
        icon="graph-scatter"
        heading=${isLive(snapshot.run.status) ? 'No norms yet' : 'No norms were recorded'}
        reason=${`They come every ${formatCount(snapshot.plan.observe.normsEverySteps)} steps${isLive(snapshot.run.status) ? ' once training runs' : ', and the run ended before the first'}.`}
      ></kaf-face>`;
    }
    return html`${this.renderFinding(snapshot)} ${this.renderTools(table)}
      <div class="columns" @cursor-moved=${this.onCursor} @range-chosen=${this.onRange}>
        ${this.view.normView === 'map' ? this.renderMap(table) : this.renderLines(table)} ${this.renderDepth(snapshot)}
      </div>
      <div class="columns" @cursor-moved=${this.onCursor} @range-chosen=${this.onRange}>
        ${this.renderSingle(snapshot)} ${this.renderNumbers(snapshot)}
      </div>`;
  }

  private renderFinding(snapshot: RunSnapshot): unknown {
    const { finding } = this;
    if (!finding) return nothing;
    const name = snapshot.prepared?.parameters[finding.parameter]?.name ?? 'a tensor';
    const { step } = finding;
    const { divergence } = snapshot;
    const end = divergence
      ? `Training diverged at step ${formatCount(divergence.step)}. ${divergence.message}`
      : 'Later steps may be finite again.';
    return html`<div class="finding bad" role="alert">
      <b
        >${
          divergence?.quantity === 'loss' && divergence.step === step
            ? `Not finite: the loss of step ${formatCount(step)}, and with it every gradient.`
            : `Not finite first: the ${finding.of} of ${name} at step ${formatCount(step)}.`
        }</b
      >
      <span class="dim">${end}</span>
      <button
        class="link"
        @click=${() => {
          this.showFinding(name, finding);
        }}
      >
        Show the step
      </button>
    </div>`;
  }

  private renderTools(table: NormTable): unknown {
    const { view } = this;
    const extent = table.extent();
    return html`<div class="tools">
      <kaf-segments
        label="Quantity"
        .segments=${Object.entries(quantityNames).map(([value, text]) => ({ value, text }))}
        .value=${view.quantity}
        @chosen=${(event: CustomEvent<{ value: NormQuantity }>) => {
          changeView(this, { quantity: event.detail.value });
        }}
      ></kaf-segments>
      <kaf-segments
        label="Rows"
        .segments=${[
          { value: 'layers', text: 'layers' },
          { value: 'tensors', text: 'tensors' },
        ]}
        .value=${view.grouping}
        @chosen=${(event: CustomEvent<{ value: DashboardView['grouping'] }>) => {
          changeView(this, { grouping: event.detail.value, normLine: null });
        }}
      ></kaf-segments>
      <kaf-segments
        label="Picture"
        .segments=${[
          { value: 'map', text: 'map' },
          { value: 'lines', text: 'lines' },
        ]}
        .value=${view.normView}
        @chosen=${(event: CustomEvent<{ value: DashboardView['normView'] }>) => {
          changeView(this, { normView: event.detail.value });
        }}
      ></kaf-segments>
      <span class="grow"></span>
      ${
        extent && view.normView === 'map'
          ? html`<span class="legend"
              ><span>${formatNumber(extent.low, 2)}</span><span class="scale"></span
              ><span>${formatNumber(extent.high, 2)}</span></span
            >`
          : nothing
      }
      <span class="legend"
        ><span><span class="swatch square non-finite-mark"></span>not finite</span></span
      >
    </div>`;
  }

  private renderMap(table: NormTable): unknown {
    const quantity = quantityNames[this.view.quantity];
    const line = this.chosenLine();
    const chosen: Cell = {
      line: Math.max(0, table.lines.indexOf(line)),
      bucket:
        this.view.normStep === null
          ? table.buckets.length - 1
          : table.buckets.findIndex((bucket) => bucket.lastStep >= this.rowStep()),
    };
    return html`<div class="card">
      <h2>
        ${quantity}
        <span>${this.view.grouping === 'layers' ? 'layer' : 'tensor'} × step · log colours · click a cell</span>
      </h2>
      <kaf-heat-map
        .names=${table.lines.map(({ name }) => name)}
        .buckets=${table.buckets.slice()}
        .extent=${table.extent()}
        .chosen=${chosen}
        .palette=${this.palette}
        label="${quantity} by layer and step; chosen ${line.name} at step ${formatCount(this.rowStep())}: ${formatNumber(
          this.shownValue(line),
        )}"
        @cell-chosen=${(event: CustomEvent<Cell>) => {
          const bucket = table.buckets[event.detail.bucket];
          const isNewest = event.detail.bucket === table.buckets.length - 1;
          changeView(this, {
            normLine: table.lines[event.detail.line]?.name ?? null,
            normStep: isNewest ? null : (bucket?.lastStep ?? null),
          });
        }}
      ></kaf-heat-map>
    </div>`;
  }

  private renderLines(table: NormTable): unknown {
    const quantity = quantityNames[this.view.quantity];
    const hidden = new Set(this.view.hiddenLines);
    const names = table.lines.map(({ name }) => name);
    return html`<div class="card">
      <h2>
        ${quantity}
        <span>every ${this.view.grouping === 'layers' ? 'layer' : 'tensor'} · log · blue first, red last</span>
        <b
          >${formatCount(names.length - names.filter((name) => hidden.has(name)).length)} of
          ${formatCount(names.length)}</b
        >
      </h2>
      <kaf-line-chart
        class="lines"
        zoomable
        .curves=${this.lineCurves}
        .xUnit=${1}
        .yScale=${'log'}
        .range=${this.range}
        .cursor=${this.cursor}
        .palette=${this.palette}
        label="${quantity} of ${formatCount(this.lineCurves.length)} lines by step, log scale"
      ></kaf-line-chart>
      <div class="choices" role="group" aria-label="Lines shown">
        <button
          class="link"
          @click=${() => {
            changeView(this, { hiddenLines: hidden.size === 0 ? names : [] });
          }}
        >
          ${hidden.size === 0 ? 'none' : 'all'}
        </button>
        ${guard([table, this.view.hiddenLines, this.palette], () =>
          table.lines.map(
            ({ name }, index) =>
              html`<button
                aria-pressed=${hidden.has(name) ? 'false' : 'true'}
                @click=${() => {
                  const isShown = hidden.delete(name);
                  if (!isShown) hidden.add(name);
                  changeView(this, { hiddenLines: [...hidden], ...(isShown ? { normLine: name } : {}) });
                }}
              >
                <svg class="dot" viewBox="0 0 8 8">
                  <circle cx="4" cy="4" r="4" fill=${this.colorOf(index)}></circle></svg
                >${name}
              </button>`,
          ),
        )}
      </div>
    </div>`;
  }

  private renderDepth(snapshot: RunSnapshot): unknown {
    if (!this.depth) return nothing;
    const { curves, ticks, names, said } = this.depth;
    const kinds = depthKinds(snapshot.prepared?.parameters ?? []);
    const chosen = this.depthKind(snapshot)?.name ?? '';
    return html`<div class="card filling">
      <h2>across depth <span>step ${formatCount(this.rowStep())}</span><b>${said}</b></h2>
      <kaf-segments
        label="Kind of layer"
        .segments=${kinds.map(({ name }) => ({ value: name, text: name }))}
        .value=${chosen}
        @chosen=${(event: CustomEvent<{ value: string }>) => {
          changeView(this, { depthKind: event.detail.value });
        }}
      ></kaf-segments>
      <kaf-line-chart
        class="depth"
        .curves=${curves}
        .yScale=${'log'}
        .xTicks=${ticks}
        .formatX=${(value: number) => names[value] ?? ''}
        .palette=${this.palette}
        label="${quantityNames[this.view.quantity]} of ${formatCount(names.length)} layers (${chosen}) from the first to the last at step ${formatCount(
          this.rowStep(),
        )}: ${said}"
      ></kaf-line-chart>
    </div>`;
  }

  private depthKind({ prepared }: RunSnapshot): DepthKind | null {
    const kinds = depthKinds(prepared?.parameters ?? []);
    return kinds.find(({ name }) => name === this.view.depthKind) ?? mainKind(kinds);
  }

  private renderSingle(snapshot: RunSnapshot): unknown {
    const line = this.chosenLine();
    const members = line.members.map((member) => snapshot.prepared?.parameters[member]?.name ?? '').join(', ');
    return html`<div class="card">
      <h2>
        ${line.name} <span>${quantityNames[this.view.quantity]} · ${members === line.name ? 'log' : members}</span>
        <b>${formatNumber(this.shownValue(line), 3)}</b>
      </h2>
      <kaf-line-chart
        class="single"
        zoomable
        .curves=${this.singleCurves}
        .xUnit=${1}
        .yScale=${'log'}
        .range=${this.range}
        .cursor=${this.cursor ?? (this.view.normStep === null ? null : this.rowStep())}
        .palette=${this.palette}
        label="${line.name}, ${quantityNames[this.view.quantity]}: ${formatNumber(this.shownValue(line))} at step ${formatCount(
          this.rowStep(),
        )}"
      ></kaf-line-chart>
    </div>`;
  }

  private renderNumbers(snapshot: RunSnapshot): unknown {
    const first = { norms: snapshot.norms, row: this.table?.kept[0] ?? 0 };
    const shown = this.moment ?? first;
    const isNewest = this.view.normStep === null;
    return numbersCard(this.chosenLine(), snapshot.prepared?.parameters ?? [], { first, shown, isNewest });
  }

  private updateTable(snapshot: RunSnapshot, series: NormSeries | null): void {
    const { quantity, grouping, normView } = this.view;
    const parameters = snapshot.prepared?.parameters ?? [];
    const key = JSON.stringify([quantity, grouping, normView]);
    const lines = grouping === 'layers' ? layerLines(parameters) : tensorLines(parameters);
    const most = normView === 'map' ? 128 : Math.max(64, Math.min(512, Math.floor(24_000 / Math.max(1, lines.length))));
    if (!this.table || this.source !== snapshot.norms.step || this.tableKey !== key) {
      this.table = new NormTable(quantity, lines, most);
      this.source = snapshot.norms.step;
      this.tableKey = key;
    }
    const shown = series?.lines(quantity, lines, normView === 'lines' ? this.range : null, most);
    if (shown) this.table.show(shown);
    this.table.update(snapshot.norms);
  }

  private chosenLine(): NormLine {
    const lines = this.table?.lines ?? [];
    return (
      lines.find(({ name }) => name === this.view.normLine) ??
      lines[0] ?? { name: '', layer: '', tensor: '', members: [] }
    );
  }

  private rowPosition(): number {
    const kept = this.table?.kept ?? [];
    const { normStep } = this.view;
    const steps = this.state.snapshot?.norms.step ?? [];
    const chosen = normStep === null ? -1 : kept.findLastIndex((row) => steps[row]! <= normStep);
    return chosen < 0 ? Math.max(0, kept.length - 1) : chosen;
  }

  private logRow(): number {
    return this.table?.kept[this.rowPosition()] ?? 0;
  }

  private rowStep(): number {
    return this.moment?.norms.step[this.moment.row] ?? 0;
  }

  private shownValue(line: NormLine): number {
    return this.moment ? normAt(this.moment.norms, this.view.quantity, line, this.moment.row) : Number.NaN;
  }

  private colorOf(index: number): string {
    return rampColor(index, this.table?.lines.length ?? 1, this.palette.isLight);
  }

  private showFinding(name: string, finding: NonFiniteRow): void {
    changeView(this, {
      normStep: finding.step,
      normLine: name,
      grouping: 'tensors',
      normView: 'map',
      quantity: finding.of === 'gradient' ? 'gradients' : 'weights',
    });
  }

  private readonly onCursor = (event: Event): void => {
    this.cursor = (event as CustomEvent<{ x: number | null }>).detail.x;
  };

  private readonly onRange = (event: Event): void => {
    this.range = (event as CustomEvent<{ range: Range | null }>).detail.range;
  };
}
