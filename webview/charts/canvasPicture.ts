// A chart that paints its canvas itself: anew after each update, and whenever it is given another size.
import { css } from 'lit';
import { Picture, pictureSheet } from './picture.ts';

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

export abstract class CanvasPicture extends Picture {
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
  }

  protected override updated(): void {
    this.draw();
  }
}
