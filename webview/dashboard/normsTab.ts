// <kaf-norms-tab>: the norm of every weight and gradient: a map of layers by steps or lines, one line's curve, and its depth.
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { depthKinds, mainKind, type DepthKind } from '../../server/health/depthGain.ts';
import { isLive } from '../../server/protocol/run.ts';
import type { NonFiniteRow, RunSnapshot } from '../../server/protocol/snapshot.ts';
import type { Cell } from '../charts/heatMap.ts';
import '../charts/heatMap.ts';
import '../charts/lineChart.ts';
import type { Curve } from '../charts/curve.ts';
import type { Range } from '../curves/decimate.ts';
import { blockOf, blocksOf, foldLines } from '../curves/normBlocks.ts';
import { layerLines, normAt, NormTable, quantityNames, tensorLines, type NormLine } from '../curves/normTable.ts';
import '../controls/face.ts';
import '../controls/segments.ts';
import type { SeriesFeed } from '../state/seriesFeed.ts';
import type { DashboardState } from '../state/dashboardState.ts';
import { formatCount, formatNumber } from '../text/numbers.ts';
import { rampColor, type Palette } from '../theme/palette.ts';
import { baseSheet, cardSheet, findingSheet, tableSheet, toolsSheet } from '../theme/sheets.ts';
import { viridisGradient } from '../theme/viridis.ts';
import { acrossDepth, allLines, singleCurve, type DepthCurves } from './normCurves.ts';
import { networkFacts, type NetworkFacts } from './normFacts.ts';
import { normFinding } from './normFinding.ts';
import { attackCard, histogramsCard } from './normHistograms.ts';
import { normLinesCard } from './normLinesCard.ts';
import { numbersCard, type NormMoment } from './normNumbers.ts';
import { normSeries, type NormSeries } from './normSeries.ts';
import { normsSheet } from './normsSheet.ts';
import { normsTools } from './normsTools.ts';
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
  /** Under the pointer. */
  @state() private pointed: Cell | null = null;

  private table: NormTable | null = null;
  /** What the table was made from. */
  private source: unknown = null;
  private tableKey = '';
  private blocks: readonly string[] = [];
  /** Of the table, those whose values are rounding. */
  private muted: ReadonlySet<number> = new Set();
  private network: NetworkFacts | null = null;
  private lineCurves: readonly Curve[] = [];
  private singleCurves: readonly Curve[] = [];
  private depth: DepthCurves | null = null;
  /** The norms shown in figures and across depth, and their row. */
  private moment: NormMoment | null = null;

  protected override willUpdate(changed: PropertyValues): void {
    const { snapshot } = this.state;
    const isOfPointer = [...changed.keys()].every((key) => key === 'cursor' || key === 'pointed');
    if (!snapshot?.prepared || (changed.size > 0 && isOfPointer)) return;
    this.style.setProperty('--scale', viridisGradient);
    const series = normSeries(this.feed, snapshot);
    this.updateTable(snapshot, series);
    const { table, palette } = this;
    if (!table) return;
    const { quantity, normStep } = this.view;
    const line = this.chosenLine();
    const whole = series?.curve(quantity, line, this.view.normZoom) ?? null;
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
            range: series ? null : this.view.normZoom,
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
    const { finding, view } = this;
    return html`${finding ? normFinding(this, snapshot, finding) : nothing}
      ${normsTools(this, {
        ...{ view, extent: table.extent(this.muted), hasUpdates: hasUpdates(snapshot), blocks: this.blocks },
        isFolded: this.foldedBlocks().size > 0,
      })}
      <div class="columns" @cursor-moved=${this.onCursor} @range-chosen=${this.onRange}>
        ${view.normView === 'map' ? this.renderMap(table) : this.renderLines(table)} ${this.renderDepth(snapshot)}
      </div>
      <div class="columns" @cursor-moved=${this.onCursor} @range-chosen=${this.onRange}>
        ${this.renderSingle(snapshot)} ${this.renderNumbers(snapshot)}
      </div>
      <div class="columns" @cursor-moved=${this.onCursor}>
        ${histogramsCard(snapshot, this.chosenLine(), { view, palette: this.palette })}
        ${attackCard(snapshot, { palette: this.palette, cursor: this.cursor })}
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
        <span
          >${this.view.grouping === 'layers' ? 'layer' : 'tensor'} × step · log colours · click a
          cell${
            this.blocks.length > 0 ? ', or a name to fold its block' : ''
          }${this.view.quantity === 'update' ? ' · usual: about 10⁻³' : ''}</span
        >
      </h2>
      <div class="scrolled">
        <kaf-heat-map
          .names=${table.lines.map((line) => this.nameOf(line))}
          .buckets=${table.buckets.slice()}
          .extent=${table.extent(this.muted)}
          .chosen=${chosen}
          .muted=${this.muted}
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
          @cell-pointed=${(event: CustomEvent<Cell | null>) => {
            this.pointed = event.detail;
          }}
          @line-toggled=${(event: CustomEvent<{ line: number }>) => {
            const line = table.lines[event.detail.line];
            if (line) this.toggleBlock(line);
          }}
        ></kaf-heat-map>
      </div>
      <p class="pointed">${this.pointedText(table)}</p>
    </div>`;
  }

  private renderLines(table: NormTable): unknown {
    return normLinesCard(this, {
      ...{ view: this.view, table, curves: this.lineCurves, range: this.view.normZoom, cursor: this.cursor },
      palette: this.palette,
      colorOf: (index) => this.colorOf(index),
    });
  }

  /** Of the cell under the pointer, else what to do. */
  private pointedText(table: NormTable): string {
    const line = this.pointed && table.lines[this.pointed.line];
    if (!this.pointed || !line) return ' ';
    const bucket = table.buckets[this.pointed.bucket];
    const isMuted = this.muted.has(this.pointed.line);
    const why = isMuted ? ' · rounding: the normalisation behind this bias takes it away' : '';
    if (!bucket) return `${line.name}${why}`;
    const { firstStep, lastStep } = bucket;
    const steps =
      firstStep === lastStep
        ? `step ${formatCount(firstStep)}`
        : `steps ${formatCount(firstStep)} to ${formatCount(lastStep)}`;
    const [low, high] = [bucket.low[this.pointed.line]!, bucket.high[this.pointed.line]!];
    const range = low < high ? `${formatNumber(low, 3)} to ${formatNumber(high, 3)}` : formatNumber(high, 3);
    const isBad = (bucket.bad[this.pointed.line] ?? 0) > 0;
    return `${line.name} · ${steps} · ${low <= high ? range : 'none'}${isBad ? ', and values that are not finite' : ''}${why}`;
  }

  /** A folded block shows that it opens. */
  private nameOf(line: NormLine): string {
    return this.foldedBlocks().has(line.name) ? `▸ ${line.name}` : line.name;
  }

  private foldedBlocks(): ReadonlySet<string> {
    const { foldedBlocks } = this.view;
    const { prepared } = this.state.snapshot ?? {};
    if (foldedBlocks !== null) return new Set(foldedBlocks.filter((block) => this.blocks.includes(block)));
    return (prepared?.parameters.length ?? 0) > mostOpenTensors ? new Set(this.blocks) : new Set();
  }

  private toggleBlock(line: NormLine): void {
    const folded = new Set(this.foldedBlocks());
    const block = folded.has(line.name) ? line.name : blockOf(line);
    if (block === null || !this.blocks.includes(block)) return;
    if (!folded.delete(block)) folded.add(block);
    changeView(this, { foldedBlocks: [...folded], normLine: null });
  }

  private renderDepth(snapshot: RunSnapshot): unknown {
    if (!this.depth) return nothing;
    const { curves, ticks, names, said } = this.depth;
    const kinds = depthKinds(snapshot.prepared?.parameters ?? []);
    const chosen = this.depthKind(snapshot)?.name ?? '';
    return html`<div class="card filling">
      <h2>across depth <span>step ${formatCount(this.rowStep())}</span><b title=${said}>${said}</b></h2>
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
      ${this.renderLineFacts(snapshot, line)}
      <kaf-line-chart
        class="single"
        zoomable
        .curves=${this.singleCurves}
        .xUnit=${1}
        .yScale=${'log'}
        .range=${this.view.normZoom}
        .cursor=${this.cursor ?? (this.view.normStep === null ? null : this.rowStep())}
        .palette=${this.palette}
        label="${line.name}, ${quantityNames[this.view.quantity]}: ${formatNumber(this.shownValue(line))} at step ${formatCount(
          this.rowStep(),
        )}"
      ></kaf-line-chart>
    </div>`;
  }

  /** What is to be known of the chosen line, and the way to where it is written. */
  private renderLineFacts(snapshot: RunSnapshot, line: NormLine): unknown {
    const parameters = snapshot.prepared?.parameters ?? [];
    const isRounding = line.members.every((member) => this.network?.rounding.has(parameters[member]?.name ?? ''));
    const path = this.network?.paths.get(line.layer);
    const update =
      'Usual: about 10⁻³. Far more, above 10⁻², and each step throws away what others learnt; far less, below 10⁻⁴, and it hardly learns: change the learning rate.';
    return html`<p class="facts dim">
      ${isRounding && this.view.quantity !== 'weights' ? 'Rounding alone: the normalisation behind this bias takes it away.' : nothing}
      ${this.view.quantity === 'update' && !isRounding ? update : nothing}
      ${
        path === undefined || snapshot.run.experimentFile === null
          ? nothing
          : html`<button
              class="link"
              @click=${() => {
                this.dispatchEvent(new CustomEvent('line-asked', { detail: { path }, bubbles: true, composed: true }));
              }}
            >
              Go to its line
            </button>`
      }
    </p>`;
  }

  private renderNumbers(snapshot: RunSnapshot): unknown {
    const first = { norms: snapshot.norms, row: this.table?.kept[0] ?? 0 };
    const shown = this.moment ?? first;
    const nowText = isLive(snapshot.run.status) ? 'now' : 'at the end';
    const shownText = this.view.normStep === null ? nowText : null;
    return numbersCard(this.chosenLine(), snapshot.prepared?.parameters ?? [], { first, shown, shownText });
  }

  private updateTable(snapshot: RunSnapshot, series: NormSeries | null): void {
    const { quantity, grouping, normView } = this.view;
    const parameters = snapshot.prepared?.parameters ?? [];
    const all = grouping === 'layers' ? layerLines(parameters) : tensorLines(parameters);
    this.blocks = blocksOf(all);
    const folded = normView === 'map' ? this.foldedBlocks() : new Set<string>();
    const lines = foldLines(all, folded);
    const key = JSON.stringify([quantity, grouping, normView, [...folded]]);
    if (this.network?.source !== snapshot.plan) this.network = networkFacts(snapshot);
    const { rounding } = this.network;
    const isRounding = (member: number) => rounding.has(parameters[member]?.name ?? '');
    this.muted = new Set(
      quantity === 'weights' ? [] : lines.flatMap(({ members }, index) => (members.every(isRounding) ? [index] : [])),
    );
    const most = 128;
    if (!this.table || this.source !== snapshot.norms.step || this.tableKey !== key) {
      this.table = new NormTable(quantity, lines, most);
      this.source = snapshot.norms.step;
      this.tableKey = key;
    }
    const shown = series?.lines(quantity, lines, {
      ...{ range: normView === 'lines' ? this.view.normZoom : null, pixels: most, means: normView === 'lines' },
    });
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

  private readonly onCursor = (event: Event): void => {
    this.cursor = (event as CustomEvent<{ x: number | null }>).detail.x;
  };

  private readonly onRange = (event: Event): void => {
    changeView(this, { normZoom: (event as CustomEvent<{ range: Range | null }>).detail.range });
  };
}

/** With more tensors than this, blocks are folded until they are opened. */
const mostOpenTensors = 120;

function hasUpdates({ norms }: RunSnapshot): boolean {
  return norms.updates.some(({ length }) => length > 0);
}
