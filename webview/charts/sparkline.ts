// <kaf-sparkline>: a small curve without axes; values that are not finite are marked.
import { css, html, LitElement } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { decimate } from '../curves/decimate.ts';
import { readPalette, type Palette } from '../theme/palette.ts';
import { fitCanvas } from './fitCanvas.ts';

@customElement('kaf-sparkline')
export class Sparkline extends LitElement {
  static override styles = css`
    :host {
      display: block;
      height: 16px;
      min-width: 0;
    }
    canvas {
      display: block;
      width: 100%;
      height: 100%;
    }
  `;

  @property({ attribute: false }) values: readonly number[] = [];
  @property({ attribute: false }) color = '';
  @property() label = '';
  @property({ attribute: false }) palette: Palette = readPalette();
  @query('canvas') private readonly canvas!: HTMLCanvasElement;
  private readonly resized = new ResizeObserver(() => {
    this.draw();
  });

  override render(): unknown {
    return html`<canvas role="img" aria-label=${this.label}></canvas>`;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.resized.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.resized.disconnect();
  }

  protected override updated(): void {
    this.draw();
  }

  private draw(): void {
    const fitted = fitCanvas(this.canvas);
    if (!fitted) return;
    const { ctx, width, height } = fitted;
    const positions = this.values.map((_, index) => index);
    const { x, y, marks } = decimate(positions, this.values, { range: null, buckets: Math.max(8, Math.round(width)) });
    const finite = y.filter((value) => Number.isFinite(value));
    const low = finite.reduce((a, b) => Math.min(a, b), Infinity);
    const high = finite.reduce((a, b) => Math.max(a, b), -Infinity);
    const toX = (at: number): number => 1 + ((width - 3) * at) / Math.max(1, this.values.length - 1);
    const toY = (value: number): number =>
      high > low ? height - 2 - ((height - 4) * (value - low)) / (high - low) : height / 2;
    ctx.strokeStyle = this.color;
    ctx.lineWidth = 1.4;
    ctx.lineJoin = 'round';
    ctx.beginPath();
    let isDown = false;
    for (let index = 0; index < x.length; index++) {
      if (Number.isNaN(y[index]!)) isDown = false;
      else {
        if (isDown) ctx.lineTo(toX(x[index]!), toY(y[index]!));
        else ctx.moveTo(toX(x[index]!), toY(y[index]!));
        isDown = true;
      }
    }
    ctx.stroke();
    if (finite.length > 0 && !Number.isNaN(y.at(-1) ?? Number.NaN)) {
      ctx.fillStyle = this.color;
      ctx.beginPath();
      ctx.arc(toX(x.at(-1)!), toY(y.at(-1)!), 1.8, 0, 2 * Math.PI);
      ctx.fill();
    }
    ctx.fillStyle = this.palette.nonFinite;
    for (const mark of marks) ctx.fillRect(toX(mark.x) - 1, 0, 2, height);
  }
}
