// <kaf-histogram-map>: histograms over time on one canvas: steps to the right, values upwards, the fuller a bin the lighter. What is
// chosen is its step.
import { css, html } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { formatNumber, formatTick } from '../text/numbers.ts';
import { readPalette, type Palette } from '../theme/palette.ts';
import { viridis } from '../theme/viridis.ts';
import { fitCanvas } from './fitCanvas.ts';
import { CanvasPicture, canvasSheet } from './canvasPicture.ts';
import type { PictureTable } from './pictureTable.ts';
import type { Surface } from './svgContext.ts';

export interface HistogramColumn {
  readonly step: number;
  readonly low: number;
  readonly high: number;
  /** Bins of equal width over the range, in 255ths of the fullest. */
  readonly bins: Uint8Array;
}

const margin = { left: 58, top: 4, right: 6, bottom: 18 };

@customElement('kaf-histogram-map')
export class HistogramMap extends CanvasPicture {
  static override styles = [
    ...canvasSheet,
    css`
      :host {
        height: 190px;
      }
      canvas {
        height: 100%;
      }
    `,
  ];

  /** Ascending steps. */
  @property({ attribute: false }) columns: readonly HistogramColumn[] = [];
  @property({ attribute: false }) chosenStep: number | null = null;
  @property() label = '';
  @property({ attribute: false }) palette: Palette = readPalette();
  @query('canvas') protected readonly canvas!: HTMLCanvasElement;

  override render(): unknown {
    return html`<canvas
        role="img"
        tabindex="0"
        aria-keyshortcuts="T"
        aria-label=${this.label}
        @keydown=${(event: KeyboardEvent) => this.takesKey(event)}
      ></canvas>
      ${this.renderTools()}`;
  }

  /** A row a bin: at which step, its edges, and how full it is, as a share of the step's fullest. */
  override asTable(): PictureTable {
    const rows = this.columns.flatMap(({ step, low, high, bins }) => {
      const width = (high - low) / bins.length;
      return Array.from(bins, (share, bin) => [step, low + bin * width, low + (bin + 1) * width, share / 255]);
    });
    return { columns: ['step', 'from', 'to', 'share of the fullest'], rows };
  }

  protected override draw(surface?: Surface): void {
    const fitted = surface ?? fitCanvas(this.canvas);
    const finite = this.columns.filter(({ low, high }) => Number.isFinite(high - low));
    if (!fitted || finite.length === 0) return;
    const { ctx, width, height } = fitted;
    const low = Math.min(...finite.map((column) => column.low));
    const high = Math.max(...finite.map((column) => column.high));
    const span = high - low || Math.abs(high) || 1;
    const area = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom };
    const toY = (value: number): number => margin.top + area.height * (1 - (value - low) / span);
    const columnWidth = area.width / this.columns.length;
    this.columns.forEach((column, index) => {
      const left = margin.left + index * columnWidth;
      if (!Number.isFinite(column.high - column.low)) {
        ctx.fillStyle = this.palette.nonFinite;
        ctx.fillRect(left, margin.top, columnWidth, area.height);
        return;
      }
      const binHeight = (column.high - column.low) / column.bins.length;
      column.bins.forEach((share, bin) => {
        if (share === 0) return;
        const top = toY(column.low + (bin + 1) * binHeight);
        const bottom = toY(column.low + bin * binHeight);
        // By the logarithm, so that the tails show.
        const [red, green, blue] = viridis(Math.log(1 + share) / Math.log(256));
        ctx.fillStyle = `rgb(${red.toString()} ${green.toString()} ${blue.toString()})`;
        ctx.fillRect(left, top, columnWidth + 0.5, Math.max(1.5, bottom - top + 0.5));
      });
      if (column.step === this.chosenStep) {
        ctx.strokeStyle = this.palette.foreground;
        ctx.lineWidth = 1.5;
        ctx.strokeRect(left + 0.5, margin.top, Math.max(2, columnWidth - 1), area.height);
      }
    });
    this.drawAxes(ctx, { low, high, toY, columnWidth, width, height });
  }

  private drawAxes(
    ctx: CanvasRenderingContext2D,
    axes: {
      low: number;
      high: number;
      toY(value: number): number;
      columnWidth: number;
      width: number;
      height: number;
    },
  ): void {
    const { low, high, toY, columnWidth, width, height } = axes;
    ctx.font = `10px ${this.palette.fontFamily}`;
    ctx.fillStyle = this.palette.dim;
    ctx.textAlign = 'right';
    ctx.textBaseline = 'middle';
    const values = low < 0 && high > 0 ? [high, 0, low] : [high, low];
    const placed: number[] = [];
    for (const value of values) {
      const y = Math.min(height - margin.bottom - 4, Math.max(margin.top + 5, toY(value)));
      if (placed.some((other) => Math.abs(other - y) < 12)) continue;
      placed.push(y);
      ctx.fillText(formatNumber(value, 2), margin.left - 6, y);
    }
    ctx.textBaseline = 'alphabetic';
    const every = Math.max(1, Math.ceil(70 / columnWidth));
    for (let index = 0; index < this.columns.length; index += every) {
      const x = margin.left + (index + 0.5) * columnWidth;
      ctx.textAlign = index === 0 ? 'left' : x > width - 24 ? 'right' : 'center';
      ctx.fillText(formatTick(this.columns[index]!.step), x, height - 5);
    }
  }
}
