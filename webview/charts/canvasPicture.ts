// A chart that paints its canvas itself: anew after each update, and whenever it is given another size.
import { css } from 'lit';
import { drawInTurn, leaveTurn } from './drawTurns.ts';
import { Picture, pictureSheet, type Shown } from './picture.ts';
import { SvgContext, type Surface } from './svgContext.ts';

export const canvasSheet = [
  pictureSheet,
  css`
    :host {
      display: block;
      min-width: 0;
    }
    canvas {
      display: block;
      width: 100%;
    }
  `,
];

/** What a canvas has on the screen. */
export function shownOn(canvas: HTMLCanvasElement): Omit<Shown, 'svg'> {
  const { clientWidth: width, clientHeight: height } = canvas;
  return {
    ...{ width, height },
    paint(ctx) {
      if (canvas.width > 0) ctx.drawImage(canvas, 0, 0, width, height);
    },
  };
}

export abstract class CanvasPicture extends Picture {
  protected abstract readonly canvas: HTMLCanvasElement;
  private isDrawn = false;
  private readonly resized = new ResizeObserver(() => {
    this.draw();
  });

  override connectedCallback(): void {
    super.connectedCallback();
    this.resized.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.resized.disconnect();
    leaveTurn(this);
  }

  /** At once the first time, when the page makes room for it; then in its turn. */
  protected override updated(): void {
    if (this.isDrawn) drawInTurn(this, () => this.draw());
    else this.draw();
    this.isDrawn = true;
  }

  /** On the canvas, or on what is given. */
  protected abstract draw(surface?: Surface): void;

  protected override shown(): Shown {
    const shown = shownOn(this.canvas);
    const { width, height } = shown;
    return {
      ...shown,
      svg: () => {
        const context = new SvgContext();
        this.draw({ ctx: context as unknown as CanvasRenderingContext2D, width, height });
        return context.text;
      },
    };
  }
}
