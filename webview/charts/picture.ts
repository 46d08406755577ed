// What every chart can do besides being looked at: say what the arrow keys reach, show its data as a table (the key T), and be saved as PNG,
// SVG, CSV or JSON, or copied. The page's host saves and copies (sendTable.ts).
import { css, html, LitElement, nothing } from 'lit';
import { state } from 'lit/decorators.js';
import { formatCount, formatNumber } from '../text/numbers.ts';
import type { Palette } from '../theme/palette.ts';
import { plainColor } from '../theme/plainColor.ts';
import type { PictureTable } from './pictureTable.ts';
import { sendFile, sendTable, tableForms } from './sendTable.ts';
import { headingOf, pictureHead, type LegendEntry } from './pictureHead.ts';
import { place, SvgContext, svgDocument } from './svgContext.ts';

const forms = ['png', 'svg', ...tableForms] as const;
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

/** A picture as it is on the screen, in CSS pixels. */
export interface Shown {
  readonly width: number;
  readonly height: number;
  /** At the context's origin. */
  paint(ctx: CanvasRenderingContext2D): void;
  /** Elements of an SVG. */
  svg(): string;
}

export abstract class Picture extends LitElement {
  abstract palette: Palette;
  @state() private isTable = false;
  @state() private isOpen = false;
  @state() private nRows = rowsAtATime;
  /** What the keys have reached. */
  @state() private heard = '';

  /** @param title of the card that it is in */
  abstract asTable(title: string): PictureTable;

  /** Null before it is drawn. */
  protected abstract shown(): Shown | null;

  /** What its colours mean, where the picture does not say it itself. */
  protected legend(): readonly LegendEntry[] {
    return [];
  }

  /** The picture as it is seen, below its card's heading and its legend, on the panel's background; null before it is drawn. */
  async asPng(): Promise<Uint8Array | null> {
    const shown = this.shown();
    const sheet = document.createElement('canvas');
    const ctx = sheet.getContext('2d');
    if (!ctx || !shown || shown.width === 0) return null;
    const head = this.head(ctx, shown.width);
    sheet.width = Math.round(shown.width * devicePixelRatio);
    sheet.height = Math.round((head.height + shown.height) * devicePixelRatio);
    ctx.scale(devicePixelRatio, devicePixelRatio);
    ctx.fillStyle = this.palette.background;
    ctx.fillRect(0, 0, sheet.width, sheet.height);
    head.paint(ctx);
    ctx.translate(0, head.height);
    shown.paint(ctx);
    const blob = await new Promise<Blob | null>((resolve) => {
      sheet.toBlob(resolve, 'image/png');
    });
    return blob && new Uint8Array(await blob.arrayBuffer());
  }

  asSvg(): string | null {
    const shown = this.shown();
    if (!shown) return null;
    const context = new SvgContext();
    const ctx = context as unknown as CanvasRenderingContext2D;
    const head = this.head(ctx, shown.width);
    head.paint(ctx);
    const { title } = headingOf(this);
    const elements = `${context.text}<g transform="translate(0 ${place(head.height)})">${shown.svg()}</g>`;
    const plain = elements.replace(
      /(fill|stroke)="([^"]*)"/g,
      (_, name: string, css: string) => `${name}="${plainColor(css)}"`,
    );
    return svgDocument(plain, {
      ...{ width: shown.width, height: head.height + shown.height, title },
      background: plainColor(this.palette.background),
    });
  }

  private head(ctx: CanvasRenderingContext2D, width: number): ReturnType<typeof pictureHead> {
    return pictureHead(ctx, headingOf(this), { legend: this.legend(), width, palette: this.palette });
  }

  /** Tells those who can't see it what the keys have reached. */
  protected say(text: string): void {
    this.heard = text;
  }

  /** To be rendered behind the canvas. */
  protected renderTools(): unknown {
    const { title } = headingOf(this);
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

  private async send(form: Form, title: string): Promise<void> {
    if (form !== 'png' && form !== 'svg') {
      sendTable(this, form, title, this.asTable(title));
      return;
    }
    const content = form === 'png' ? await this.asPng() : this.asSvg();
    if (content) sendFile(this, form, title, content);
  }
}

function cellText(cell: string | number): string {
  if (typeof cell === 'string') return cell;
  return Number.isInteger(cell) ? formatCount(cell) : formatNumber(cell, 6);
}
