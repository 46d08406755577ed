// What every chart can do besides being looked at: say what the arrow keys reach, show its data as a table (the key T), and be saved as PNG,
// SVG, CSV or JSON, or copied. Sends `save-asked` (a `SavedFile`) and `copy-asked` {text}; the page's host saves and copies.
import { css, html, LitElement, nothing } from 'lit';
import { state } from 'lit/decorators.js';
import { formatCount, formatNumber } from '../text/numbers.ts';
import type { Palette } from '../theme/palette.ts';
import { csvOf, jsonOf, type PictureTable } from './pictureTable.ts';
import { SvgContext, type Surface } from './svgContext.ts';

export interface SavedFile {
  readonly name: string;
  readonly content: string | Uint8Array;
}

const forms = ['png', 'svg', 'csv', 'json', 'copy'] as const;
type Form = (typeof forms)[number];

const rowsAtATime = 200;

export const pictureSheet = css`
  :host {
    position: relative;
  }
  .tools {
    position: absolute;
    top: 0;
    right: 2px;
    z-index: 1;
    display: flex;
    gap: 7px;
    align-items: center;
    padding: 0 4px;
    font-size: 11px;
    line-height: 16px;
    border-radius: 3px;
    background: var(--kaf-card);
  }
  :host(:not(:hover)) .tools:not(:focus-within, .open) {
    opacity: 0;
  }
  .tools button {
    appearance: none;
    border: 0;
    padding: 0;
    background: none;
    font: inherit;
    color: var(--kaf-link);
    cursor: pointer;
  }
  .tools button:hover {
    text-decoration: underline;
  }
  :focus-visible {
    outline: 1px solid var(--kaf-focus);
    outline-offset: 1px;
  }
  .heard {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .data {
    position: absolute;
    inset: 0;
    overflow: auto;
    background: var(--kaf-card);
    font-size: 12px;
  }
  .data table {
    border-collapse: collapse;
    width: 100%;
  }
  .data th,
  .data td {
    text-align: left;
    font-weight: 400;
    padding: 1px 8px 1px 2px;
    border-bottom: 1px solid var(--kaf-line);
  }
  .data th {
    position: sticky;
    top: 0;
    background: var(--kaf-card);
    color: var(--kaf-dim);
  }
`;

export abstract class Picture extends LitElement {
  abstract palette: Palette;
  protected abstract readonly canvas: HTMLCanvasElement;
  @state() private isTable = false;
  @state() private isOpen = false;
  @state() private nRows = rowsAtATime;
  /** What the keys have reached. */
  @state() private heard = '';

  /** @param title of the card that it is in */
  abstract asTable(title: string): PictureTable;

  /** The picture as it is seen, on the panel's background; null before it is drawn. */
  async asPng(): Promise<Uint8Array | null> {
    const { canvas } = this;
    const picture = document.createElement('canvas');
    picture.width = canvas.width;
    picture.height = canvas.height;
    const context = picture.getContext('2d');
    if (!context || canvas.width === 0) return null;
    context.fillStyle = this.palette.background;
    context.fillRect(0, 0, picture.width, picture.height);
    context.drawImage(canvas, 0, 0);
    const blob = await new Promise<Blob | null>((resolve) => {
      picture.toBlob(resolve, 'image/png');
    });
    return blob && new Uint8Array(await blob.arrayBuffer());
  }

  asSvg(title: string): string | null {
    const { canvas, palette } = this;
    const context = new SvgContext(canvas);
    const { clientWidth: width, clientHeight: height } = canvas;
    this.draw({ ctx: context as unknown as CanvasRenderingContext2D, width, height });
    return context.document({ width, height, title, background: palette.background });
  }

  /** On the canvas, or on what is given. */
  protected abstract draw(surface?: Surface): void;

  /** Tells those who can't see it what the keys have reached. */
  protected say(text: string): void {
    this.heard = text;
  }

  /** To be rendered behind the canvas. */
  protected renderTools(): unknown {
    const title = this.heading;
    return html`${this.isTable ? this.renderTable(title) : nothing}
      <div class="heard" aria-live="polite">${this.heard}</div>
      <div class="tools ${this.isOpen ? 'open' : ''}" role="toolbar" aria-label="${title}, as data">
        ${
          this.isOpen
            ? forms.map(
                (form) =>
                  html`<button
                    aria-label="${form === 'copy' ? 'Copy' : 'Save'} ${title} as ${form === 'copy' ? 'CSV' : form.toUpperCase()}"
                    @click=${() => {
                      void this.send(form, title);
                    }}
                  >
                    ${form}
                  </button>`,
              )
            : nothing
        }
        <button
          aria-pressed=${this.isTable ? 'true' : 'false'}
          aria-label="Table of ${title}"
          @click=${() => {
            this.toggleTable();
          }}
        >
          table
        </button>
        <button
          aria-expanded=${this.isOpen ? 'true' : 'false'}
          aria-label="Save or copy ${title}"
          @click=${() => {
            this.isOpen = !this.isOpen;
          }}
        >
          ${this.isOpen ? '×' : '⋯'}
        </button>
      </div>`;
  }

  /** True where the key was one that all charts have. */
  protected takesKey(event: KeyboardEvent): boolean {
    if (event.key.toLowerCase() !== 't' || event.ctrlKey || event.metaKey || event.altKey) return false;
    event.preventDefault();
    this.toggleTable();
    return true;
  }

  private toggleTable(): void {
    this.isTable = !this.isTable;
    this.nRows = rowsAtATime;
    if (this.isTable) this.focusTable();
  }

  private focusTable(): void {
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>('.data')?.focus());
  }

  private renderTable(title: string): unknown {
    const { columns, rows } = this.asTable(title);
    const left = rows.length - this.nRows;
    return html`<div
      class="data"
      tabindex="0"
      role="region"
      aria-label="Data of ${title}: ${rows.length.toString()} rows"
      @keydown=${(event: KeyboardEvent) => {
        if (event.key === 'Escape') this.toggleTable();
        else this.takesKey(event);
        event.stopPropagation();
      }}
    >
      <table>
        <thead>
          <tr>
            ${columns.map((name) => html`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.slice(0, this.nRows).map(
            (cells) =>
              html`<tr>
                ${cells.map((cell) => html`<td>${cellText(cell)}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
      ${
        left > 0
          ? html`<button
              @click=${() => {
                this.nRows += 10 * rowsAtATime;
                this.focusTable();
              }}
            >
              ${left.toString()} more
            </button>`
          : nothing
      }
    </div>`;
  }

  /** Of the card that it is in: the first words of its heading. */
  private get heading(): string {
    const h2 = this.closest('.card')?.querySelector('h2, h3');
    const texts = [...(h2?.childNodes ?? [])]
      .filter((node) => node.nodeType === Node.TEXT_NODE)
      .map((node) => node.textContent?.trim() ?? '');
    return texts.find((text) => text !== '') ?? 'picture';
  }

  private async send(form: Form, title: string): Promise<void> {
    const tell = (type: string, detail: SavedFile | { readonly text: string }): void => {
      this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
    };
    const name = `${title.replace(/\W+/g, '-')}.${form}`;
    switch (form) {
      case 'copy':
        tell('copy-asked', { text: csvOf(this.asTable(title)) });
        return;
      case 'csv':
        tell('save-asked', { name, content: csvOf(this.asTable(title)) });
        return;
      case 'json':
        tell('save-asked', { name, content: jsonOf(title, this.asTable(title)) });
        return;
      case 'png':
      case 'svg': {
        const content = form === 'png' ? await this.asPng() : this.asSvg(title);
        if (content) tell('save-asked', { name, content });
        return;
      }
      default:
        form satisfies never;
    }
  }
}

function cellText(cell: string | number): string {
  if (typeof cell === 'string') return cell;
  return Number.isInteger(cell) ? formatCount(cell) : formatNumber(cell, 6);
}
