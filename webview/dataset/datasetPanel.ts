// <kaf-dataset>: what there is to see of an experiment's data set, or how far its reading is, or why it can't be read.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import type { DatasetLook, Moments, PicturesLook, SplitLook, TableLook } from '../../server/protocol/datasetLook.ts';
import type { FromDataset, ToDataset } from '../../server/protocol/panel.ts';
import { tableButtons } from '../charts/sendTable.ts';
import '../controls/face.ts';
import { formatCount, formatNumber, formatPercent, formatShape } from '../text/numbers.ts';
import { readPalette, watchTheme, type Palette } from '../theme/palette.ts';
import { baseSheet, cardSheet, chipSheet, tableSheet } from '../theme/sheets.ts';
import './histogram.ts';
import { lookTable } from './lookTable.ts';
import './pictureStrip.ts';

@customElement('kaf-dataset')
export class DatasetPanel extends LitElement {
  static override styles = [
    baseSheet,
    chipSheet,
    cardSheet,
    tableSheet,
    css`
      :host {
        padding: 0 16px 16px;
      }
      header {
        display: flex;
        flex-wrap: wrap;
        gap: 6px 10px;
        align-items: center;
        padding: 9px 16px;
        margin: 0 -16px 12px;
        border-bottom: 1px solid var(--kaf-line);
      }
      h1 {
        font-size: 15px;
        font-weight: 600;
      }
      .places {
        flex-basis: 100%;
        overflow-wrap: anywhere;
      }
      .about {
        margin-bottom: 12px;
        overflow-wrap: anywhere;
      }
      .more {
        margin-top: 12px;
      }
      .strips {
        display: flex;
        gap: 8px;
        align-items: flex-end;
      }
      .strips > figure {
        margin: 0;
        min-width: 0;
        flex: 1;
      }
      .strips > figure.samples {
        flex: 8;
      }
      figcaption {
        color: var(--kaf-dim);
        font-size: 11px;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .card > h2 > .name {
        color: var(--kaf-foreground);
        font-weight: 600;
      }
      td:first-child {
        max-width: 110px;
        overflow: hidden;
        text-overflow: ellipsis;
      }
      kaf-histogram {
        width: 104px;
        margin-left: auto;
      }
    `,
  ];

  private post: ((message: FromDataset) => void) | null = null;
  @state() private palette: Palette = readPalette();
  @state() private told: ToDataset = { type: 'progress', progress: null };

  connect(post: (message: FromDataset) => void): void {
    this.post = post;
    watchTheme(() => {
      this.palette = readPalette();
    });
  }

  receive(message: ToDataset): void {
    this.told = message;
  }

  override render(): unknown {
    const { told } = this;
    switch (told.type) {
      case 'progress':
        return this.renderProgress(told.progress);
      case 'failed':
        return html`<kaf-face tone="bad" icon="error" heading="The data set can’t be shown" reason=${told.message}>
          ${this.button('Look again', 'reload')}
        </kaf-face>`;
      case 'cancelled':
        return html`<kaf-face icon="circle-slash" heading="Cancelled" reason="What had been read is not kept.">
          ${this.button('Look again', 'reload')}
        </kaf-face>`;
      case 'look':
        return this.renderLook(told.look);
      default:
        return told satisfies never;
    }
  }

  private button(text: string, type: 'reload' | 'cancel'): unknown {
    return html`<vscode-button
      secondary
      data-intent=${type}
      @click=${() => {
        this.post?.({ type });
      }}
      >${text}</vscode-button
    >`;
  }

  private renderProgress(progress: Extract<ToDataset, { type: 'progress' }>['progress']): unknown {
    return html`<kaf-face busy icon="loading" heading="Reading the data set" reason=${progressText(progress)}>
      ${this.button('Cancel', 'cancel')}
    </kaf-face>`;
  }

  private renderLook(look: DatasetLook): unknown {
    return html`<header>
        <h1>${look.title}</h1>
        <span class="chip"
          >${look.table ? `${formatCount(look.table.nColumns)} columns` : formatShape(look.sampleShape)}</span
        >
        <span class="chip">${formatCount(look.nClasses)} classes</span>
        ${look.splits.map(
          ({ name, nSamples }) => html`<span class="chip">${formatCount(nSamples)} ${splitText(name)}</span>`,
        )}
        <span class="grow"></span>
        ${tableButtons(look.title, () => lookTable(look))} ${this.button('Look again', 'reload')}
        <span class="places dim"
          >${look.places.length > 0 ? look.places.join(' · ') : 'Made by Kafscope; nothing is read.'}</span
        >
      </header>
      <p class="about dim">${aboutText(look)}</p>
      ${look.pictures ? this.renderPictures(look, look.pictures) : nothing}
      ${look.table ? this.renderTable(look, look.table) : nothing}`;
  }

  private renderPictures(look: DatasetLook, pictures: PicturesLook): unknown {
    const shape = { height: pictures.height, width: pictures.width, channels: pictures.channels };
    const cards = look.classes.map(({ name, counts }, index) => {
      const { figures, nSamples, samples, mean, deviation } = pictures.classes[index]!;
      const strip = (bytes: Uint8Array, nPictures: number, nPlaces: number, label: string) =>
        html`<kaf-picture-strip
          .bytes=${bytes}
          .nPictures=${nPictures}
          .nPlaces=${nPlaces}
          .shape=${shape}
          label=${label}
        ></kaf-picture-strip>`;
      return html`<section class="card" data-class=${index}>
        <h2>
          <span class="name" title=${name}>${name}</span>
          <span>${countsText(look, counts)}</span>
        </h2>
        ${
          nSamples === 0
            ? html`<p class="dim">No training sample was looked at.</p>`
            : html`<div class="strips">
                <figure class="samples">
                  ${strip(samples, nSamples, 8, `${nSamples} samples of ${name}`)}
                  <figcaption>${momentsText(figures)}</figcaption>
                </figure>
                <figure>
                  ${strip(mean, 1, 1, `Mean of ${name}`)}
                  <figcaption>mean</figcaption>
                </figure>
                <figure>
                  ${strip(deviation, 1, 1, `Deviation of ${name}`)}
                  <figcaption title="Standard deviation, doubled: white is the most that values in [0, 1] can have">
                    dev.
                  </figcaption>
                </figure>
              </div>`
        }
      </section>`;
    });
    return html`<div class="grid">${cards}</div>
      ${moreText(look.nClasses - look.classes.length, 'classes')}`;
  }

  private renderTable(look: DatasetLook, table: TableLook): unknown {
    const { palette } = this;
    const counts = html`<table>
      <tr>
        <th>class</th>
        ${look.splits.map(({ name }) => html`<th>${splitText(name)}</th>`)}
      </tr>
      ${look.classes.map(
        ({ name, counts }) =>
          html`<tr>
            <td title=${name}>${name}</td>
            ${counts.map((count) => html`<td>${formatCount(count)}</td>`)}
          </tr>`,
      )}
    </table>`;
    const cards = table.columns.map((column) => {
      const rows = [
        { name: 'all', part: column.all, color: palette.foreground },
        ...column.classes.map((part, index) => ({ name: look.classes[index]!.name, part, color: palette.clean })),
      ];
      return html`<section class="card" data-column>
        <h2>
          <span class="name" title=${column.name}>${column.name}</span>
          <span>${formatNumber(column.least)} to ${formatNumber(column.most)}</span>
        </h2>
        <table>
          <tr>
            <th></th>
            <th>mean</th>
            <th>deviation</th>
            <th></th>
          </tr>
          ${rows.map(
            ({ name, part, color }) =>
              html`<tr>
                <td title=${name}>${name}</td>
                <td>${formatNumber(part.mean)}</td>
                <td>${formatNumber(part.std)}</td>
                <td>
                  <kaf-histogram
                    .bins=${part.bins}
                    .color=${color}
                    .palette=${palette}
                    label="Histogram of ${column.name}, ${name}"
                  ></kaf-histogram>
                </td>
              </tr>`,
          )}
        </table>
      </section>`;
    });
    return html`<div class="grid">
        <section class="card">
          <h2><span class="name">Samples</span></h2>
          ${counts}
        </section>
        ${cards}
      </div>
      ${moreText(look.nClasses - look.classes.length, 'classes')}
      ${moreText(table.nColumns - table.columns.length, 'columns')}`;
  }
}

function progressText(progress: Extract<ToDataset, { type: 'progress' }>['progress']): string {
  if (!progress) return 'A folder or a file that is read for the first time may take minutes.';
  const { what, done, total } = progress;
  return total === null || total === 0
    ? `${what}: ${formatCount(done)}`
    : `${what}: ${formatPercent(done / total, 0)} of ${formatCount(total)}`;
}

/** Of which samples the figures are, and what is not drawn as it is. */
function aboutText({ splits, pictures, sampleShape }: DatasetLook): string {
  const part = splits.filter(({ nLooked, nSamples }) => nLooked < nSamples);
  const looked = part
    .map(({ name, nLooked, nSamples }) => `${formatCount(nLooked)} of ${formatCount(nSamples)} ${splitText(name)}`)
    .join(', ');
  const sentences = [
    part.length > 0
      ? `Counts and figures are of samples spread evenly over each split: ${looked}.`
      : 'Counts are of all samples.',
    'Mean and deviation are of the training samples.',
  ];
  if (pictures) {
    sentences.push(`All pictures: ${pictures.figures.map((each, at) => channelText(each, at, pictures)).join('; ')}.`);
    if (pictures.shrink > 1) sentences.push(`They are drawn ${pictures.shrink} times smaller.`);
    if (sampleShape[2] !== pictures.channels)
      sentences.push(
        `Of ${sampleShape[2] ?? 0} channels the first ${pictures.channels === 1 ? 'is' : 'three are'} drawn.`,
      );
  }
  return sentences.join(' ');
}

function channelText(figures: Moments, channel: number, { channels }: PicturesLook): string {
  const name = channels === 1 ? '' : `${['red', 'green', 'blue'][channel] ?? ''} `;
  return `${name}${momentsText(figures)}`;
}

function splitText(name: SplitLook['name']): string {
  return name === 'train' ? 'training' : name;
}

function momentsText({ mean, std }: Moments): string {
  return `mean ${formatNumber(mean, 3)}, deviation ${formatNumber(std, 3)}`;
}

function countsText({ splits }: DatasetLook, counts: readonly number[]): string {
  return splits.map(({ name }, at) => `${formatCount(counts[at]!)} ${splitText(name)}`).join(' · ');
}

function moreText(nMore: number, what: 'classes' | 'columns'): unknown {
  return nMore > 0 ? html`<p class="more dim">and ${formatCount(nMore)} more ${what}</p>` : nothing;
}
