// <kaf-attacked-images>: images that an evaluation kept: as they were, their change ten times as large, as they were attacked. Events:
// `page-asked` {first}.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import type { AttackedImages } from '../../server/protocol/attackedImages.ts';
import '../dataset/pictureStrip.ts';
import type { PictureShape } from '../dataset/pictureStrip.ts';
import { formatCount } from '../text/numbers.ts';
import { baseSheet, cardSheet } from '../theme/sheets.ts';
import { imageCaption, pictureBytes } from './attackedPictures.ts';

/** Images of one page; the server gives up to 100. */
export const imagesOfPage = 24;

@customElement('kaf-attacked-images')
export class AttackedImagesCard extends LitElement {
  static override styles = [
    baseSheet,
    cardSheet,
    css`
      .card {
        margin-bottom: 12px;
      }
      .pictures {
        display: grid;
        gap: 10px;
        margin-top: 4px;
        grid-template-columns: repeat(auto-fill, minmax(150px, 1fr));
      }
      figure {
        margin: 0;
        min-width: 0;
      }
      figcaption {
        font-size: 12px;
        margin-top: 2px;
        overflow-wrap: anywhere;
      }
      .fooled {
        color: var(--kaf-attacked);
      }
      .paging {
        display: flex;
        gap: 8px;
        align-items: center;
        margin-top: 8px;
      }
    `,
  ];

  @property({ attribute: false }) images: AttackedImages | null = null;
  /** Why there are none to show. */
  @property({ attribute: false }) failure: string | null = null;
  /** `linf` lengths are told in pixel values of 255. */
  @property({ attribute: false }) norm: 'linf' | 'l2' = 'linf';

  override render(): unknown {
    const { images } = this;
    if (!images) {
      return html`<div class="card">
        <h2>images <span>${this.failure ?? 'reading them'}</span></h2>
      </div>`;
    }
    const [height, width, channels] = images.shape;
    const isPicture = images.shape.length === 3 && (channels === 1 || channels === 3);
    return html`<div class="card">
      <h2>
        images <span>${isPicture ? 'as they were · change × 10 · as they were attacked' : 'no pictures'}</span
        ><b>${formatCount(images.total)} kept</b>
      </h2>
      <div class="pictures">
        ${
          isPicture
            ? Array.from(images.labels, (_, row) =>
                this.renderPicture(images, row, { height: height!, width: width!, channels }),
              )
            : nothing
        }
      </div>
      ${this.renderPaging(images)}
    </div>`;
  }

  private renderPicture(images: AttackedImages, row: number, shape: PictureShape): unknown {
    const { text, isFooled } = imageCaption(images, row, this.norm);
    return html`<figure>
      <kaf-picture-strip
        .bytes=${pictureBytes(images, row)}
        .nPictures=${3}
        .nPlaces=${3}
        .shape=${shape}
        label=${`Image ${(images.first + row + 1).toString()}: ${text}`}
      ></kaf-picture-strip>
      <figcaption class=${isFooled ? 'fooled' : 'dim'}>${text}</figcaption>
    </figure>`;
  }

  private renderPaging({ first, labels, total }: AttackedImages): unknown {
    if (total <= labels.length) return nothing;
    const go = (to: number) => () => {
      this.dispatchEvent(new CustomEvent('page-asked', { detail: { first: to } }));
    };
    return html`<div class="paging">
      <vscode-button secondary ?disabled=${first === 0} @click=${go(Math.max(0, first - imagesOfPage))}
        >Previous</vscode-button
      >
      <span class="dim">${formatCount(first + 1)} – ${formatCount(first + labels.length)}</span>
      <vscode-button secondary ?disabled=${first + labels.length >= total} @click=${go(first + imagesOfPage)}
        >Next</vscode-button
      >
    </div>`;
  }
}
