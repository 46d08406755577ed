// <kaf-surface-map>: a function of two inputs as a heat map with its axes and scale.
import { css, html } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { linearTicks } from '../curves/ticks.ts';
import { formatNumber, formatTick } from '../text/numbers.ts';
import { readPalette, type Palette } from '../theme/palette.ts';
import { viridis } from '../theme/viridis.ts';
import type { ValueRange } from './commonRange.ts';
import { fitCanvas } from './fitCanvas.ts';
import { CanvasPicture, canvasSheet } from './canvasPicture.ts';
import type { PictureTable } from './pictureTable.ts';
import type { Surface } from './svgContext.ts';

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Paints `[u, v]` values, u to the right and v upwards, by way of `pixels`; what is not finite in its own colour. */
export function paintSurface(
  ctx: CanvasRenderingContext2D,
  pixels: HTMLCanvasElement,
  values: Float64Array,
  { left, top, width, height }: Box,
  { low, high }: ValueRange,
  nonFinite: string,
): void {
  const n = Math.round(Math.sqrt(values.length));
  pixels.width = n;
  pixels.height = n;
  const small = pixels.getContext('2d');
  if (!small || n === 0) return;
  const image = small.createImageData(n, n);
  values.forEach((value, at) => {
    if (!Number.isFinite(value)) return;
    const offset = ((n - 1 - (at % n)) * n + Math.floor(at / n)) * 4;
    image.data.set([...viridis((value - low) / (high - low)), 255], offset);
  });
  small.putImageData(image, 0, 0);
  if (!values.every(Number.isFinite)) {
    ctx.fillStyle = nonFinite;
    ctx.fillRect(left, top, width, height);
  }
  ctx.imageSmoothingEnabled = true;
  ctx.drawImage(pixels, left, top, width, height);
}

const margins = { left: 26, top: 4, bottom: 17, right: 50 };
const barWidth = 9;

@customElement('kaf-surface-map')
export class SurfaceMap extends CanvasPicture {
  static override styles = [
    ...canvasSheet,
    css`
      :host {
        display: block;
        min-width: 0;
        max-width: 380px;
      }
      canvas {
        aspect-ratio: 1.16;
      }
    `,
  ];

  /** `[u, v]`, row by row. */
  @property({ attribute: false }) values: Float64Array = new Float64Array();
  /** Ascending, of either axis. */
  @property({ attribute: false }) x: Float64Array = new Float64Array();
  @property({ attribute: false }) range: ValueRange = { low: -1, high: 1 };
  @property() label = '';
  @property({ attribute: false }) palette: Palette = readPalette();
  @query('canvas') protected readonly canvas!: HTMLCanvasElement;
  private readonly pixels = document.createElement('canvas');

  override render(): unknown {
    return html`<canvas role="img" aria-label=${this.label}></canvas>${this.renderTools()}`;
  }

  override asTable(): PictureTable {
    const { x, values } = this;
    const rows = Array.from(values, (value, index) => [x[Math.floor(index / x.length)]!, x[index % x.length]!, value]);
    return { columns: ['u', 'v', 'f'], rows };
  }

  protected override draw(surface?: Surface): void {
    const fitted = surface ?? fitCanvas(this.canvas);
    if (!fitted || this.x.length < 2) return;
    const { ctx } = fitted;
    const { palette, range } = this;
    const { left, top } = margins;
    const width = fitted.width - left - margins.right;
    const height = fitted.height - top - margins.bottom;
    paintSurface(ctx, this.pixels, this.values, { left, top, width, height }, range, palette.nonFinite);
    ctx.strokeStyle = palette.line;
    ctx.lineWidth = 1;
    ctx.strokeRect(left - 0.5, top - 0.5, width + 1, height + 1);
    ctx.font = `10px ${palette.fontFamily}`;
    ctx.fillStyle = palette.dim;
    const [low, high] = [this.x[0]!, this.x.at(-1)!];
    for (const tick of linearTicks(low, high, 4)) {
      const part = (tick - low) / (high - low);
      if (part < 0.02 || part > 0.98) continue;
      ctx.textAlign = 'center';
      ctx.textBaseline = 'alphabetic';
      ctx.fillText(formatTick(tick), left + part * width, top + height + 12);
      ctx.textAlign = 'right';
      ctx.textBaseline = 'middle';
      ctx.fillText(formatTick(tick), left - 5, top + (1 - part) * height);
    }
    ctx.fillStyle = palette.foreground;
    ctx.textBaseline = 'alphabetic';
    ctx.textAlign = 'right';
    ctx.fillText('u', left + width, top + height + 12);
    ctx.fillText('v', left - 5, top + 8);
    this.drawScale(ctx, { left: left + width + 8, top, width: barWidth, height });
  }

  private drawScale(ctx: CanvasRenderingContext2D, { left, top, width, height }: Box): void {
    const { palette } = this;
    const { low, high } = this.range;
    const rows = Math.max(1, Math.round(height));
    for (let row = 0; row < rows; row++) {
      ctx.fillStyle = `rgb(${viridis(1 - (row + 0.5) / rows).join(' ')})`;
      ctx.fillRect(left, top + (row * height) / rows, width, height / rows + 0.5);
    }
    ctx.fillStyle = palette.dim;
    ctx.textAlign = 'left';
    for (const [value, at, baseline] of [
      [high, top, 'top'],
      [(low + high) / 2, top + height / 2, 'middle'],
      [low, top + height, 'bottom'],
    ] as const) {
      ctx.textBaseline = baseline;
      ctx.fillText(formatNumber(value, 2), left + width + 4, at);
    }
  }
}
