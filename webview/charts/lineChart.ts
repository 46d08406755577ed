// <kaf-line-chart>: curves on two axes, with a cursor and a range that charts share through their panel. Left and right move the cursor from
// point to point of a curve, up and down go to another. Events: `cursor-moved` {x | null}, `range-chosen` {range | null}, `y-chosen` {range | null}.
// Chart.js does the axes; drawCurves.ts the lines.
import { Chart, LinearScale, LineController, LogarithmicScale, type ChartConfiguration, type Plugin } from 'chart.js';
import { html, type PropertyValues } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { indexAt, type Range } from '../curves/decimate.ts';
import { linearTicks, logTicks } from '../curves/ticks.ts';
import { readPalette, type Palette } from '../theme/palette.ts';
import { formatCount, formatDecade, formatNumber, formatTick, tickFormat } from '../text/numbers.ts';
import {
  extentOf,
  legendOf,
  prepareCurves,
  snapOutwards,
  yRange,
  type Curve,
  type PreparedCurve,
  type YScale,
} from './curve.ts';
import { drawCurves } from './drawCurves.ts';
import { drawInTurn, leaveTurn } from './drawTurns.ts';
import { shownOn } from './canvasPicture.ts';
import { lineChartSheet } from './lineChartSheet.ts';
import { Picture, pictureSheet, type Shown } from './picture.ts';
import type { LegendEntry } from './pictureHead.ts';
import { curvesTable, type PictureTable } from './pictureTable.ts';
import { svgCurves } from './svgCurves.ts';
import { ZoomDrag } from './zoomDrag.ts';

/** Chart.js keeps its parts in a registry; this says once which ones the panels use. */
let isRegistered = false;
function registerChartParts(): void {
  if (isRegistered) return;
  Chart.register(LineController, LinearScale, LogarithmicScale);
  isRegistered = true;
}

/** Of which the lines do not depend. */
const besides: ReadonlySet<string> = new Set(['cursor', 'heard', 'isOpen', 'isTable', 'nRows']);

/** There are wider ones, in no curve of a usual run. */
const widestTick = '1.25e−4';

@customElement('kaf-line-chart')
export class LineChart extends Picture {
  static override styles = [pictureSheet, lineChartSheet];

  @property({ attribute: false }) curves: readonly Curve[] = [];
  @property({ attribute: false }) yScale: YScale = 'linear';
  @property({ attribute: false }) xScale: YScale = 'linear';
  /** Part of x shown; null for all. */
  @property({ attribute: false }) range: Range | null = null;
  /** All of x, where it is more than the curves have (so that charts agree). */
  @property({ attribute: false }) extent: Range | null = null;
  /** Fixed range of y; null to follow the curves. */
  @property({ attribute: false }) fixedY: Range | null = null;
  @property({ attribute: false }) cursor: number | null = null;
  /** What x is, in words. */
  @property() axis = 'x';
  @property({ attribute: false }) formatX: (value: number) => string = formatTick;
  @property({ attribute: false }) formatY: ((value: number) => string) | null = null;
  /** Ticks of x at these places, for axes of names. */
  @property({ attribute: false }) xTicks: readonly number[] | null = null;
  /** The distance of two ticks of x is a multiple of this: 1 for steps and restarts; 0 for any. */
  @property({ attribute: false }) xUnit = 0;
  /** What it shows with its values, for those who can't see it. */
  @property() label = '';
  @property({ type: Boolean, reflect: true }) zoomable = false;
  /** Whether a drag up or down chooses a stretch of y. */
  @property({ type: Boolean }) zoomableY = false;
  /** That a person has chosen; null for what the page gives it. */
  @property({ attribute: false }) heightPx: number | null = null;
  /** Changes with the theme. */
  @property({ attribute: false }) palette: Palette = readPalette();

  @query('canvas') private readonly canvas!: HTMLCanvasElement;
  @query('.frame') private readonly frame!: HTMLDivElement;
  @query('.cursor') private readonly cursorLine!: HTMLDivElement;
  @query('.selection') private readonly selection!: HTMLDivElement;

  private chart: Chart | null = null;
  private prepared: PreparedCurve[] = [];
  private readonly drag = new ZoomDrag(() => ({
    ...{ chart: this.chart, frame: this.frame, selection: this.selection, hasY: this.zoomableY },
  }));
  /** Which of the curves the keys move along. */
  private heardCurve = 0;
  /** What the axes depend on. */
  private layout: readonly unknown[] = [];

  override render(): unknown {
    return html`<div
        class="frame"
        role="application"
        aria-roledescription="chart"
        aria-keyshortcuts="T"
        tabindex="0"
        aria-label=${this.label}
        @pointermove=${this.onMove}
        @pointerleave=${this.onLeave}
        @pointerdown=${this.onDown}
        @pointerup=${this.onUp}
        @dblclick=${() => {
          this.chooseY(null);
          this.choose(null);
        }}
        @keydown=${this.onKey}
      >
        <canvas></canvas>
        <div class="selection"></div>
        <div class="cursor"></div>
      </div>
      ${this.renderTools()}`;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    leaveTurn(this);
    this.chart?.destroy();
    this.chart = null;
    this.layout = [];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.requestUpdate('curves');
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('heightPx')) {
      const { heightPx } = this;
      this.style.height = heightPx === null ? '' : `${heightPx.toString()}px`;
      for (const part of ['flex', 'maxHeight', 'minHeight'] as const) {
        this.style[part] = heightPx === null ? '' : part === 'minHeight' ? '0' : 'none';
      }
    }
    // Neither the cursor nor what is said of it changes the lines.
    const isBesides = this.chart !== null && [...changed.keys()].every((key) => besides.has(String(key)));
    if (!isBesides && this.chart) {
      drawInTurn(this, () => {
        this.draw();
        this.placeCursor();
      });
    } else if (!isBesides) this.draw();
    this.placeCursor();
  }

  override asTable(title: string): PictureTable {
    return curvesTable(this.curves, { axis: this.axis, title, range: this.range });
  }

  protected override shown(): Shown | null {
    const { chart, prepared, palette } = this;
    return chart && { ...shownOn(this.canvas), svg: () => svgCurves(chart, prepared, palette) };
  }

  protected override legend(): readonly LegendEntry[] {
    return legendOf(this.curves);
  }

  private draw(): void {
    registerChartParts();
    this.chart ??= new Chart(this.canvas, this.configuration());
    const x =
      this.range ??
      snapOutwards(this.extent ?? extentOf(this.curves) ?? { from: 0, to: 1 }, this.xScale, { from: false });
    this.prepared = prepareCurves(this.curves, { range: this.range, widthPx: Math.max(64, this.chart.width) });
    const y = this.fixedY ?? snapOutwards(yRange(this.prepared, this.yScale), this.yScale, { from: true });
    const layout = [
      x.from,
      x.to,
      y.from,
      y.to,
      this.xScale,
      this.yScale,
      this.chart.width,
      this.chart.height,
      this.palette,
      // Ticks at given places are what they read, which a parent may make anew at each picture.
      this.xTicks?.map((place) => `${place.toString()} ${this.formatX(place)}`).join('\n') ?? this.formatX,
      this.formatY,
      this.xUnit,
    ];
    if (this.layout.length > 0 && layout.every((part, index) => part === this.layout[index])) {
      this.chart.draw(); // the axes stay: laying them out costs ten times the lines
      return;
    }
    this.layout = layout;
    const { palette } = this;
    const { width } = this.chart;
    const font = { family: palette.fontFamily, size: 10 };
    const padding = 5;
    this.chart.options.scales = {
      x: {
        type: this.xScale === 'log' ? 'logarithmic' : 'linear',
        min: x.from,
        max: x.to > x.from ? x.to : x.from + 1,
        grid: { display: false },
        border: { display: false },
        afterBuildTicks: (axis) => {
          const count = Math.max(2, Math.min(7, Math.floor(width / 80)));
          const places =
            this.xTicks ??
            (this.xScale === 'log'
              ? logTicks(axis.min, axis.max, count)
              : linearTicks(axis.min, axis.max, count, this.xUnit));
          axis.ticks = places.map((value) => ({ value }));
        },
        ticks: {
          color: palette.dim,
          font,
          padding: 2,
          maxRotation: 0,
          autoSkip: this.xTicks !== null,
          autoSkipPadding: 8,
          callback: (value) => this.formatX(Number(value)),
        },
      },
      y: {
        type: this.yScale === 'log' ? 'logarithmic' : 'linear',
        min: y.from,
        max: y.to,
        border: { display: false },
        grid: { color: palette.line, lineWidth: palette.isHighContrast ? 0.5 : 0.7, drawTicks: false },
        afterBuildTicks: (axis) => {
          const places = this.yScale === 'log' ? logTicks(axis.min, axis.max, 4) : linearTicks(axis.min, axis.max, 4);
          axis.ticks = places.map((value) => ({ value }));
        },
        ticks: {
          color: palette.dim,
          font,
          padding,
          autoSkip: false,
          callback: (value, _index, ticks) => (this.formatY ?? this.formatOf(ticks))(Number(value)),
        },
        // The same width in every chart, so that their x axes line up.
        afterFit: (axis) => {
          const { ctx } = axis;
          ctx.font = `${font.size}px ${font.family}`;
          axis.width = Math.max(axis.width, Math.ceil(ctx.measureText(widestTick).width) + padding);
        },
      },
    };
    this.chart.update('none');
  }

  private configuration(): ChartConfiguration<'line', number[]> {
    const lines: Plugin<'line'> = {
      id: 'kafCurves',
      afterDatasetsDraw: (chart) => {
        drawCurves(chart, this.prepared, this.palette);
      },
      resize: () => {
        this.requestUpdate('curves');
      },
    };
    return {
      type: 'line',
      data: { datasets: [] },
      options: {
        animation: false,
        parsing: false,
        normalized: true,
        maintainAspectRatio: false,
        events: [],
        layout: { padding: { top: 4, right: 6, bottom: 0, left: 0 } },
        scales: {},
      },
      plugins: [lines],
    };
  }

  /** One way of writing for all ticks of y. */
  private formatOf(ticks: readonly { readonly value: number }[]): (value: number) => string {
    const places = ticks.map(({ value }) => value);
    const isOfDecades = this.yScale === 'log' && places.every((place) => Number.isInteger(Math.log10(place)));
    return isOfDecades ? formatDecade : tickFormat(places);
  }

  private placeCursor(): void {
    const area = this.chart?.chartArea;
    const scale = this.chart?.scales.x;
    if (!area || !scale) return;
    const isShown = this.cursor !== null && this.cursor >= scale.min && this.cursor <= scale.max;
    this.cursorLine.classList.toggle('shown', isShown);
    if (!isShown) return;
    this.cursorLine.style.top = `${area.top.toString()}px`;
    this.cursorLine.style.height = `${(area.bottom - area.top).toString()}px`;
    this.cursorLine.style.transform = `translateX(${scale.getPixelForValue(this.cursor ?? 0).toFixed(1)}px)`;
  }

  private readonly onMove = (event: PointerEvent): void => {
    const to = this.drag.moved(event);
    if (to) this.dispatchEvent(new CustomEvent('cursor-moved', { detail: { x: to.x }, bubbles: true, composed: true }));
  };

  private readonly onLeave = (): void => {
    this.dispatchEvent(new CustomEvent('cursor-moved', { detail: { x: null }, bubbles: true, composed: true }));
  };

  private readonly onDown = (event: PointerEvent): void => {
    if (this.zoomable && event.button === 0) this.drag.begin(event);
  };

  private readonly onUp = (event: PointerEvent): void => {
    const chosen = this.drag.end(event);
    if (chosen?.along === 'y') this.chooseY(chosen.range);
    else if (chosen) this.choose(chosen.range);
  };

  private readonly onKey = (event: KeyboardEvent): void => {
    const scale = this.chart?.scales.x;
    if (!scale) return;
    const span = scale.max - scale.min;
    if (this.takesKey(event)) return;
    if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      this.moveTo((event.shiftKey ? 0.1 : 0.01) * span * (event.key === 'ArrowLeft' ? -1 : 1), scale);
    } else if (this.zoomableY && event.shiftKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      this.zoomY(event.key === 'ArrowUp' ? 0.5 : 2);
    } else if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      const count = Math.max(1, this.curves.length);
      this.heardCurve = (this.heardCurve + (event.key === 'ArrowUp' ? count - 1 : 1)) % count;
      this.moveTo(0, scale);
    } else if (event.key === 'Escape') {
      this.onLeave();
      this.chooseY(null);
      this.choose(null);
    } else if (this.zoomable && (event.key === '+' || event.key === '-')) {
      const centre = this.cursor ?? (scale.min + scale.max) / 2;
      const half = (span / 2) * (event.key === '+' ? 0.5 : 2);
      this.choose({ from: centre - half, to: centre + half });
    } else return;
    event.preventDefault();
  };

  /** By so much along the curve that is heard, at least to its next point in view. */
  private moveTo(by: number, scale: { readonly min: number; readonly max: number }): void {
    const curve = this.curves[this.heardCurve % Math.max(1, this.curves.length)];
    const inView = (value: number): number => Math.min(scale.max, Math.max(scale.min, value));
    const from = inView(this.cursor ?? scale.max);
    let x = inView(from + by);
    if (curve && curve.x.length > 0) {
      const before = indexAt(curve.x, from);
      const reached = indexAt(curve.x, x);
      const next = reached === before ? before + Math.sign(by) : reached;
      const at = Math.max(0, Math.min(curve.x.length - 1, next));
      x = inView(curve.x[at]!);
      const place = this.xUnit === 1 ? formatCount(curve.x[at]!) : this.formatX(curve.x[at]!);
      this.say(`${curve.name}, ${this.axis} ${place}: ${(this.formatY ?? formatNumber)(curve.y[at]!)}`);
    }
    this.dispatchEvent(new CustomEvent('cursor-moved', { detail: { x }, bubbles: true, composed: true }));
  }

  private choose(range: Range | null): void {
    if (!this.zoomable) return;
    this.dispatchEvent(new CustomEvent('range-chosen', { detail: { range }, bubbles: true, composed: true }));
  }

  /** Of this chart alone, which keeps it no longer than its page does. */
  private chooseY(range: Range | null): void {
    if (!this.zoomableY) return;
    this.dispatchEvent(new CustomEvent('y-chosen', { detail: { range } }));
  }

  /** About the middle of what is seen. */
  private zoomY(by: number): void {
    const scale = this.chart?.scales.y;
    if (!scale) return;
    const [middle, half] = [(scale.top + scale.bottom) / 2, ((scale.bottom - scale.top) / 2) * by];
    const [from, to] = [scale.getValueForPixel(middle + half), scale.getValueForPixel(middle - half)];
    if (from !== undefined && to !== undefined && from < to) this.chooseY({ from, to });
  }
}
