// <kaf-histogram>: bars of counts, without axes.
import { css, html, LitElement } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { fitCanvas } from '../charts/fitCanvas.ts';
import { readPalette, type Palette } from '../theme/palette.ts';

@customElement('kaf-histogram')
export class Histogram extends LitElement {
  static override styles = css`
    :host {
      display: block;
      height: 18px;
    }
    canvas {
      display: block;
      width: 100%;
      height: 100%;
    }
  `;

  @property({ attribute: false }) bins: readonly number[] = [];
  @property({ attribute: false }) color = '';
  @property({ attribute: false }) palette: Palette = readPalette();
  @property() label = '';
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
    const most = this.bins.reduce((a, b) => Math.max(a, b), 0);
    ctx.fillStyle = this.palette.line;
    ctx.fillRect(0, height - 1, width, 1);
    ctx.fillStyle = this.color;
    const step = width / this.bins.length;
    this.bins.forEach((count, at) => {
      if (count === 0) return;
      // Even a single value can be seen.
      const high = Math.max(1, (count / most) * height);
      ctx.fillRect(at * step, height - high, Math.max(1, step - 1), high);
    });
  }
}
