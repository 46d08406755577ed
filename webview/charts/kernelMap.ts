// <kaf-kernel-map>: filters, or a part of a matrix, as pictures of their values on one scale with 0 in its middle. The pointer and the arrow
// keys reach each value, which stands below the pictures.
import { css, html } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { KernelPage } from '../../server/protocol/kernelLayout.ts';
import { formatNumber } from '../text/numbers.ts';
import { diverging } from '../theme/diverging.ts';
import { readPalette, type Palette } from '../theme/palette.ts';
import { arrowMoves } from './arrowMoves.ts';
import { fitCanvas } from './fitCanvas.ts';
import { CanvasPicture, canvasSheet } from './canvasPicture.ts';
import type { PictureTable } from './pictureTable.ts';
import type { Surface } from './svgContext.ts';

interface Place {
  readonly picture: number;
  readonly row: number;
  readonly column: number;
}

const gap = 4;
const [leastCell, usualCell, largestCell] = [2, 9, 16];
const scaleHeight = 9;
const legendHeight = 30;

@customElement('kaf-kernel-map')
export class KernelMap extends CanvasPicture {
  static override styles = [
    ...canvasSheet,
    css`
      canvas {
        cursor: crosshair;
      }
      canvas:focus-visible {
        outline: 1px solid var(--kaf-focus);
        outline-offset: 2px;
      }
      p {
        margin: 4px 0 0;
        min-height: 1.4em;
        font-size: 12px;
        color: var(--kaf-dim);
      }
    `,
  ];

  /** `[count, height, width]`, row by row. */
  @property({ attribute: false }) values: Float32Array = new Float32Array();
  @property({ attribute: false }) page!: KernelPage;
  @property() kind: 'filters' | 'matrix' = 'filters';
  /** The colour scale reaches from −extent to extent. */
  @property({ type: Number }) extent = 1;
  @property() label = '';
  @property({ attribute: false }) palette: Palette = readPalette();
  @state() private at: Place | null = null;
  @query('canvas') protected readonly canvas!: HTMLCanvasElement;

  override render(): unknown {
    return html`<canvas
        role="application"
        aria-roledescription="map of values"
        tabindex="0"
        aria-label=${this.label}
        @pointermove=${this.onMove}
        @pointerleave=${this.onLeave}
        @focus=${this.onFocus}
        @blur=${this.onLeave}
        @keydown=${this.onKey}
      ></canvas>
      <p role="status">${this.at ? this.text(this.at) : 'Point at a value, or move to it by the arrow keys.'}</p>`;
  }

  override asTable(): PictureTable {
    const { firstOutput, firstRow, firstColumn, height, width } = this.page;
    const rows = Array.from(this.values, (value, index) => {
      const [picture, at] = [Math.floor(index / (height * width)), index % (height * width)];
      return [firstOutput + picture, firstRow + Math.floor(at / width), firstColumn + (at % width), value];
    });
    return { columns: ['filter', 'row', 'column', 'value'], rows };
  }

  private text({ picture, row, column }: Place): string {
    const { firstOutput, firstRow, firstColumn, height, width } = this.page;
    const value = formatNumber(this.values[(picture * height + row) * width + column] ?? Number.NaN);
    const filter = this.kind === 'filters' ? `filter ${String(firstOutput + picture)}, ` : '';
    return `${filter}row ${String(firstRow + row)}, column ${String(firstColumn + column)}: ${value}`;
  }

  /** Tiles of whole pixels, as large as the element has room for and the usual size of a value allows. */
  private layout(): { columns: number; rows: number; cell: number; across: number; down: number } {
    const { count, height, width } = this.page;
    const available = this.canvas.clientWidth;
    const columns = Math.max(1, Math.min(count, Math.floor((available + gap) / (width * usualCell + gap))));
    const room = (available - gap * (columns - 1)) / columns / width;
    const cell = Math.max(leastCell, Math.min(largestCell, Math.floor(room)));
    const rows = Math.ceil(count / columns);
    return { columns, rows, cell, across: width * cell + gap, down: height * cell + gap };
  }

  protected override draw(surface?: Surface): void {
    const layout = this.layout();
    this.canvas.style.height = `${(layout.rows * layout.down + legendHeight).toString()}px`;
    const fitted = surface ?? fitCanvas(this.canvas);
    if (!fitted) return;
    const { ctx, width } = fitted;
    const { page, values, extent, palette } = this;
    const size = page.height * page.width;
    for (let index = 0; index < page.count * size; index++) {
      const value = values[index]!;
      const { left, top } = this.corner(layout, {
        picture: Math.floor(index / size),
        row: Math.floor((index % size) / page.width),
        column: index % page.width,
      });
      ctx.fillStyle = Number.isFinite(value) ? `rgb(${diverging(value / extent).join(' ')})` : palette.nonFinite;
      ctx.fillRect(left, top, layout.cell, layout.cell);
    }
    ctx.strokeStyle = palette.line;
    ctx.lineWidth = 1;
    for (let picture = 0; picture < page.count; picture++) {
      const { left, top } = this.corner(layout, { picture, row: 0, column: 0 });
      ctx.strokeRect(left - 0.5, top - 0.5, layout.across - gap + 1, layout.down - gap + 1);
    }
    if (this.at) {
      const { left, top } = this.corner(layout, this.at);
      for (const [style, around] of [
        [palette.background, 1.5],
        [palette.foreground, 2.5],
      ] as const) {
        ctx.strokeStyle = style;
        ctx.lineWidth = 1;
        ctx.strokeRect(
          left - around + 0.5,
          top - around + 0.5,
          layout.cell + 2 * around - 1,
          layout.cell + 2 * around - 1,
        );
      }
    }
    this.drawLegend(ctx, { top: layout.rows * layout.down + 6, width });
  }

  private corner(
    { columns, cell, across, down }: ReturnType<KernelMap['layout']>,
    { picture, row, column }: Place,
  ): { left: number; top: number } {
    return {
      left: (picture % columns) * across + column * cell,
      top: Math.floor(picture / columns) * down + row * cell,
    };
  }

  private drawLegend(ctx: CanvasRenderingContext2D, { top, width }: { top: number; width: number }): void {
    const { extent, palette } = this;
    const length = Math.min(width, 260);
    for (let x = 0; x < length; x++) {
      ctx.fillStyle = `rgb(${diverging((2 * (x + 0.5)) / length - 1).join(' ')})`;
      ctx.fillRect(x, top, 1.2, scaleHeight);
    }
    ctx.font = `10px ${palette.fontFamily}`;
    ctx.fillStyle = palette.dim;
    ctx.textBaseline = 'alphabetic';
    for (const [text, x, align] of [
      [formatNumber(-extent, 3), 0, 'left'],
      ['0', length / 2, 'center'],
      [formatNumber(extent, 3), length, 'right'],
    ] as const) {
      ctx.textAlign = align;
      ctx.fillText(text, x, top + scaleHeight + 12);
    }
  }

  private readonly onMove = (event: PointerEvent): void => {
    const box = this.canvas.getBoundingClientRect();
    const { columns, cell, across, down } = this.layout();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const picture = Math.floor(y / down) * columns + Math.floor(x / across);
    const [row, column] = [Math.floor((y % down) / cell), Math.floor((x % across) / cell)];
    const { count, height, width } = this.page;
    const isInside = x / across < columns && picture < count && row < height && column < width;
    this.at = isInside ? { picture, row, column } : null;
  };

  private readonly onLeave = (): void => {
    this.at = null;
  };

  private readonly onFocus = (): void => {
    if (this.canvas.matches(':focus-visible')) this.at ??= { picture: 0, row: 0, column: 0 };
  };

  /** Across the edge of a picture into the next beside, below or above it. */
  private readonly onKey = (event: KeyboardEvent): void => {
    if (this.takesKey(event)) return;
    const move = arrowMoves[event.key];
    if (!move) return;
    event.preventDefault();
    const { count, height, width } = this.page;
    const { columns } = this.layout();
    const { picture, row, column } = this.at ?? { picture: 0, row: 0, column: 0 };
    const y = Math.floor(picture / columns) * height + row + move[0];
    const x = (picture % columns) * width + column + move[1];
    const next = Math.floor(y / height) * columns + Math.floor(x / width);
    if (y < 0 || x < 0 || x >= columns * width || next >= count) return;
    this.at = { picture: next, row: y % height, column: x % width };
  };
}
