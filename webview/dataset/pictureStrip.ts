// <kaf-picture-strip>: pictures side by side, pixel for pixel, as wide as there is room. On a canvas: the page's policy lets no
// picture in that is not a file of the extension.
import { css, html, LitElement } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';

export interface PictureShape {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}

/** Pixels between two pictures, of the pictures' own. */
const gap = 1;

@customElement('kaf-picture-strip')
export class PictureStrip extends LitElement {
  static override styles = css`
    :host {
      display: block;
      min-width: 0;
    }
    canvas {
      display: block;
      width: 100%;
      height: auto;
      image-rendering: pixelated;
    }
  `;

  @property({ attribute: false }) bytes = new Uint8Array();
  @property({ attribute: false }) nPictures = 0;
  /** Room for so many; those that are not there are left free. */
  @property({ attribute: false }) nPlaces = 1;
  @property({ attribute: false }) shape: PictureShape = { height: 1, width: 1, channels: 1 };
  @property() label = '';
  @query('canvas') private readonly canvas!: HTMLCanvasElement;

  override render(): unknown {
    return html`<canvas role="img" aria-label=${this.label}></canvas>`;
  }

  protected override updated(): void {
    const { height, width } = this.shape;
    this.canvas.height = height;
    this.canvas.width = this.nPlaces * (width + gap) - gap;
    const context = this.canvas.getContext('2d');
    for (let index = 0; index < this.nPictures; index++)
      context?.putImageData(this.picture(index), index * (width + gap), 0);
  }

  private picture(index: number): ImageData {
    const { height, width, channels } = this.shape;
    const image = new ImageData(width, height);
    const from = index * height * width * channels;
    for (let pixel = 0; pixel < height * width; pixel++) {
      for (let channel = 0; channel < 3; channel++)
        image.data[4 * pixel + channel] = this.bytes[from + pixel * channels + (channels === 1 ? 0 : channel)]!;
      image.data[4 * pixel + 3] = 255;
    }
    return image;
  }
}
