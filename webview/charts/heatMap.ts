// <kaf-heat-map>: one row a line of a norm table, one column a bucket of steps, log colours; magenta where not finite. A click or
// the arrow keys choose a cell: event `cell-chosen` {line, bucket}; the pointer tells where it is: `cell-pointed` {line, bucket} or null; a
// click on a name, or the space bar, asks to fold or unfold its block: `line-toggled` {line}.
import { css, html } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import type { NormBucket } from '../curves/normTable.ts';
import { columnTicks } from '../curves/ticks.ts';
import { readPalette, type Palette } from '../theme/palette.ts';
import { viridis } from '../theme/viridis.ts';
import { formatCount, formatNumber, formatTick } from '../text/numbers.ts';
import { arrowMoves } from './arrowMoves.ts';
import { fitCanvas } from './fitCanvas.ts';
import { CanvasPicture, canvasSheet } from './canvasPicture.ts';
import type { LegendEntry } from './pictureHead.ts';
import type { PictureTable } from './pictureTable.ts';
import type { Surface } from './svgContext.ts';

export interface Cell {
  readonly line: number;
  readonly bucket: number;
}

const axisHeight = 18;
/** Room for the outline of a cell in the first row. */
const topMargin = 2;

@customElement('kaf-heat-map')
export class HeatMap extends CanvasPicture {
  static override styles = [
    ...canvasSheet,
    css`
      canvas {
        cursor: pointer;
      }
      canvas:focus-visible {
        outline: 1px solid var(--kaf-focus);
        outline-offset: 2px;
      }
      /* Over the axis: every cell can be reached. */
      .tools {
        top: auto;
        bottom: 0;
      }
    `,
  ];

  @property({ attribute: false }) names: readonly string[] = [];
  @property({ attribute: false }) buckets: readonly NormBucket[] = [];
  /** Of the colour scale; null where nothing is positive. */
  @property({ attribute: false }) extent: { low: number; high: number } | null = null;
  @property({ attribute: false }) chosen: Cell | null = null;
  /** Lines whose values say nothing: without colours. */
  @property({ attribute: false }) muted: ReadonlySet<number> = new Set();
  @property() label = '';
  @property({ attribute: false }) palette: Palette = readPalette();
  @query('canvas') protected readonly canvas!: HTMLCanvasElement;
  private readonly pixels = document.createElement('canvas');

  override render(): unknown {
    return html`<canvas
        role="application"
        aria-roledescription="map"
        aria-keyshortcuts="T"
        tabindex="0"
        aria-label=${this.label}
        @click=${this.onClick}
        @keydown=${this.onKey}
        @pointermove=${this.onMove}
        @pointerleave=${this.onLeave}
      ></canvas>
      ${this.renderTools()}`;
  }

  override asTable(): PictureTable {
    const rows = this.names.flatMap((name, line) =>
      this.buckets.map(
        (bucket) => [name, bucket.lastStep, bucket.bad[line]! > 0 ? Number.NaN : bucket.high[line]!] as const,
      ),
    );
    return { columns: ['line', 'step', 'highest'], rows };
  }

  protected override legend(): readonly LegendEntry[] {
    const { extent, palette } = this;
    const scale = [0, 0.25, 0.5, 0.75, 1].map((place) => {
      const value = extent ? extent.low * (extent.high / extent.low) ** place : NaN;
      return { name: formatNumber(value, 2), color: `rgb(${viridis(place).join(' ')})` };
    });
    return [...(extent ? scale : []), { name: 'not finite', color: palette.nonFinite }];
  }

  private get rowHeight(): number {
    return Math.max(12, Math.min(15, Math.floor(300 / Math.max(1, this.names.length))));
  }

  private labelWidth(ctx: CanvasRenderingContext2D): number {
    const widest = this.names.reduce((most, name) => Math.max(most, ctx.measureText(name).width), 0);
    return Math.ceil(widest) + 8;
  }

  private font(weight: number): string {
    return `${weight.toString()} ${Math.min(10, this.rowHeight + 1).toString()}px ${this.palette.fontFamily}`;
  }

  protected override draw(surface?: Surface): void {
    const { rowHeight, palette } = this;
    this.canvas.style.height = `${(topMargin + this.names.length * rowHeight + axisHeight).toString()}px`;
    const fitted = surface ?? fitCanvas(this.canvas);
    if (!fitted) return;
    const { ctx, width } = fitted;
    ctx.translate(0, topMargin);
    ctx.font = this.font(400);
    const left = this.labelWidth(ctx);
    const columnWidth = (width - left) / Math.max(1, this.buckets.length);
    const gap = columnWidth >= 4 ? 0.8 : 0;
    const low = Math.log(this.extent?.low ?? 1);
    const span = Math.log(this.extent?.high ?? Math.E) - low || 1;
    this.names.forEach((name, line) => {
      const isChosen = this.chosen?.line === line;
      ctx.font = this.font(isChosen ? 600 : 400);
      ctx.fillStyle = isChosen ? palette.foreground : this.muted.has(line) ? palette.faint : palette.dim;
      ctx.textAlign = 'right';
      ctx.textBaseline = 'middle';
      ctx.fillText(name, left - 6, line * rowHeight + rowHeight / 2, left - 8);
    });
    if (this.buckets.length > 0 && this.names.length > 0) {
      const height = this.names.length * rowHeight;
      ctx.imageSmoothingEnabled = false;
      ctx.drawImage(this.cells(low, span), left, 0, width - left, height);
      ctx.fillStyle = palette.background;
      for (let line = 1; line <= this.names.length; line++)
        ctx.fillRect(left, line * rowHeight - 0.8, width - left, 0.8);
      for (let column = 1; gap > 0 && column <= this.buckets.length; column++) {
        ctx.fillRect(left + column * columnWidth - gap, 0, gap, height);
      }
    }
    this.drawAxis(ctx, left, columnWidth);
    if (this.chosen && this.chosen.bucket < this.buckets.length) {
      ctx.strokeStyle = palette.foreground;
      ctx.lineWidth = 1.5;
      const boxWidth = Math.max(columnWidth - 1, 4);
      ctx.strokeRect(
        left + this.chosen.bucket * columnWidth - 1,
        this.chosen.line * rowHeight - 1,
        boxWidth + 1,
        rowHeight + 1,
      );
    }
  }

  /** One pixel a cell: thousands of them cost less than as many rectangles. */
  private cells(low: number, span: number): HTMLCanvasElement {
    this.pixels.width = this.buckets.length;
    this.pixels.height = this.names.length;
    const ctx = this.pixels.getContext('2d', { willReadFrequently: true });
    if (!ctx) return this.pixels;
    const bad = colorBytes(ctx, this.palette.nonFinite);
    const nothing = colorBytes(ctx, this.palette.line);
    const image = ctx.createImageData(this.buckets.length, this.names.length);
    this.buckets.forEach((bucket, column) => {
      for (let line = 0; line < this.names.length; line++) {
        const high = bucket.high[line]!;
        // By the highest value of the cell, so that a spike shows; faint where there is nothing to take a logarithm of.
        const isColored = high > 0 && !this.muted.has(line);
        const color = bucket.bad[line]! > 0 ? bad : isColored ? viridis((Math.log(high) - low) / span) : nothing;
        const offset = (line * this.buckets.length + column) * 4;
        image.data[offset] = color[0];
        image.data[offset + 1] = color[1];
        image.data[offset + 2] = color[2];
        image.data[offset + 3] = 255;
      }
    });
    ctx.putImageData(image, 0, 0);
    return this.pixels;
  }

  private drawAxis(ctx: CanvasRenderingContext2D, left: number, columnWidth: number): void {
    ctx.font = `10px ${this.palette.fontFamily}`;
    ctx.fillStyle = this.palette.dim;
    ctx.textBaseline = 'alphabetic';
    const width = columnWidth * this.buckets.length;
    const y = this.names.length * this.rowHeight + 12;
    const count = Math.max(2, Math.floor(width / 90));
    for (const { column, step } of columnTicks(this.buckets, { count, columnsApart: 40 / columnWidth })) {
      const x = (column + 0.5) * columnWidth;
      ctx.textAlign = x < 12 ? 'left' : x > width - 16 ? 'right' : 'center';
      ctx.fillText(formatTick(step), left + x, y);
    }
  }

  private readonly onClick = (event: MouseEvent): void => {
    const at = this.cellAt(event);
    if (at === null) return;
    if (at.bucket < 0) this.toggle(at.line);
    else this.choose(at.line, at.bucket);
  };

  private readonly onMove = (event: PointerEvent): void => {
    const at = this.cellAt(event);
    const isInside = at !== null && at.line >= 0 && at.line < this.names.length && at.bucket < this.buckets.length;
    this.tell('cell-pointed', isInside ? at : null);
  };

  private readonly onLeave = (): void => {
    this.tell('cell-pointed', null);
  };

  /** Left of the first bucket it is −1. */
  private cellAt(event: MouseEvent): Cell | null {
    const ctx = this.canvas.getContext('2d');
    if (!ctx) return null;
    ctx.font = this.font(400);
    const left = this.labelWidth(ctx);
    const box = this.canvas.getBoundingClientRect();
    const place = (event.clientX - box.left - left) / (box.width - left);
    return {
      line: Math.floor((event.clientY - box.top - topMargin) / this.rowHeight),
      bucket: Math.max(-1, Math.floor(place * this.buckets.length)),
    };
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    if (this.takesKey(event)) return;
    if (event.key === ' ') {
      event.preventDefault();
      this.toggle(this.chosen?.line ?? 0);
      return;
    }
    const move = { ...arrowMoves, Home: [0, -1e9] as const, End: [0, 1e9] as const }[event.key];
    if (!move) return;
    event.preventDefault();
    const from = this.chosen ?? { line: 0, bucket: this.buckets.length - 1 };
    const cell = this.choose(from.line + move[0], from.bucket + move[1]);
    if (cell) this.say(this.text(cell));
  };

  private text({ line, bucket: index }: Cell): string {
    const bucket = this.buckets[index];
    const value = !bucket ? '' : bucket.bad[line]! > 0 ? 'not finite' : formatNumber(bucket.high[line]!, 3);
    return `${this.names[line] ?? ''}, step ${formatCount(bucket?.lastStep ?? 0)}: ${value}`;
  }

  private choose(line: number, bucket: number): Cell | null {
    if (this.buckets.length === 0) return null;
    const detail: Cell = {
      line: Math.max(0, Math.min(this.names.length - 1, line)),
      bucket: Math.max(0, Math.min(this.buckets.length - 1, bucket)),
    };
    this.tell('cell-chosen', detail);
    return detail;
  }

  private toggle(line: number): void {
    if (line >= 0 && line < this.names.length) this.tell('line-toggled', { line });
  }

  private tell(type: string, detail: object | null): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }
}

/** A CSS colour as the canvas understands it. */
function colorBytes(ctx: CanvasRenderingContext2D, color: string): readonly [number, number, number] {
  ctx.fillStyle = color;
  ctx.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = ctx.getImageData(0, 0, 1, 1).data;
  return [red, green, blue];
}
