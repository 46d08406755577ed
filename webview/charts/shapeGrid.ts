// <kaf-shape-grid>: every channel's curve as small multiples on one canvas, now over what was, or its surface. Event `channel-chosen`
// {channel}.
import { css, html } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import type { ChannelDensity } from '../kaf/densities.ts';
import { formatNumber } from '../text/numbers.ts';
import { readPalette, type Palette } from '../theme/palette.ts';
import { fitCanvas } from './fitCanvas.ts';
import { CanvasPicture, canvasSheet } from './canvasPicture.ts';
import type { PictureTable } from './pictureTable.ts';
import type { Surface } from './svgContext.ts';
import { commonRange } from './commonRange.ts';
import { paintSurface } from './surfaceMap.ts';

export interface ShapeTile {
  readonly channel: number;
  /** Of a surface at all pairs of inputs, `[u, v]`, row by row. */
  readonly now: Float64Array;
  /** Not of surfaces, which hide it. Null where there is nothing to compare with. */
  readonly start: Float64Array | null;
  /** Of the inputs, clean and attacked, as shares of the tile's height. */
  readonly density?: Pick<ChannelDensity, 'x' | 'clean' | 'attacked'> | null;
  /** Written in a corner. */
  readonly mark?: string;
}

const gap = 5;
const pageHeight = 440;

@customElement('kaf-shape-grid')
export class ShapeGrid extends CanvasPicture {
  static override styles = [
    ...canvasSheet,
    css`
      canvas {
        cursor: pointer;
      }
      canvas:focus-visible {
        outline: 1px solid var(--kaf-focus);
        outline-offset: 2px;
      }
    `,
  ];

  /** In order of display. */
  @property({ attribute: false }) tiles: readonly ShapeTile[] = [];
  @property() kind: 'curve' | 'surface' = 'curve';
  @property({ attribute: false }) x: Float64Array = new Float64Array();
  @property({ attribute: false }) chosen = 0;
  /** Narrowest a tile may be, in pixels. */
  @property({ type: Number }) tileWidth = 60;
  @property() label = '';
  @property({ attribute: false }) palette: Palette = readPalette();
  @query('canvas') protected readonly canvas!: HTMLCanvasElement;
  private readonly pixels = document.createElement('canvas');

  override render(): unknown {
    return html`<canvas
        role="application"
        aria-roledescription="map"
        aria-keyshortcuts="T"
        tabindex="0"
        aria-label=${this.label}
        @click=${this.onClick}
        @keydown=${this.onKey}
      ></canvas>
      ${this.renderTools()}`;
  }

  /** A row a point: a channel, where, its value, and what it was where that is known; of a surface at pairs of inputs. */
  override asTable(): PictureTable {
    const { x, kind } = this;
    const size = x.length;
    const rows = this.tiles.flatMap(({ channel, now, start }) =>
      Array.from(now, (value, index) =>
        kind === 'surface'
          ? [channel, x[Math.floor(index / size)]!, x[index % size]!, value]
          : [channel, x[index]!, value, start?.[index] ?? ''],
      ),
    );
    return { columns: kind === 'surface' ? ['channel', 'u', 'v', 'f'] : ['channel', 'x', 'f', 'f before'], rows };
  }

  private layout(): { columns: number; width: number; height: number } {
    const available = this.canvas.clientWidth;
    const most = Math.max(1, Math.floor((available + gap) / (this.tileWidth + gap)));
    // As few columns, and so as large tiles, as let the layer stay on one page.
    for (let columns = Math.min(3, most); ; columns++) {
      const width = (available - gap * (columns - 1)) / columns;
      const height = this.kind === 'surface' ? Math.round(width) : Math.round(width * 0.62);
      const rows = Math.ceil(this.tiles.length / columns);
      if (columns >= most || rows * (height + gap) <= pageHeight) return { columns, width, height };
    }
  }

  protected override draw(surface?: Surface): void {
    const { columns, width, height } = this.layout();
    const rows = Math.ceil(this.tiles.length / columns);
    this.canvas.style.height = `${(rows * (height + gap)).toString()}px`;
    const fitted = surface ?? fitCanvas(this.canvas);
    if (!fitted) return;
    const { low, high } = this.extent();
    this.tiles.forEach((tile, position) => {
      const left = (position % columns) * (width + gap);
      const top = Math.floor(position / columns) * (height + gap);
      this.drawTile(fitted.ctx, tile, { left, top, width, height, low, high });
    });
  }

  /** One range of values for all, so that channels can be compared. */
  private extent(): { low: number; high: number } {
    const shown = this.tiles.flatMap(({ now, start }) => (start ? [now, start] : [now]));
    const range = commonRange(shown);
    return this.kind === 'surface' ? range : { low: Math.min(0, range.low), high: Math.max(0, range.high) };
  }

  private drawTile(
    ctx: CanvasRenderingContext2D,
    tile: ShapeTile,
    box: { left: number; top: number; width: number; height: number; low: number; high: number },
  ): void {
    const isChosen = tile.channel === this.chosen;
    if (this.kind === 'surface') paintSurface(ctx, this.pixels, tile.now, box, box, this.palette.nonFinite);
    else this.drawCurves(ctx, tile, box);
    ctx.lineWidth = isChosen ? 2 : 1;
    ctx.strokeStyle = isChosen ? this.palette.accent : this.palette.line;
    ctx.beginPath();
    ctx.roundRect(box.left + 0.5, box.top + 0.5, box.width - 1, box.height - 1, 3);
    ctx.stroke();
  }

  private drawCurves(
    ctx: CanvasRenderingContext2D,
    tile: ShapeTile,
    box: { left: number; top: number; width: number; height: number; low: number; high: number },
  ): void {
    const { palette } = this;
    ctx.save();
    ctx.beginPath();
    ctx.rect(box.left, box.top, box.width, box.height);
    ctx.clip();
    const first = this.x[0] ?? 0;
    const span = (this.x.at(-1) ?? 1) - first || 1;
    const toX = (value: number): number => box.left + 3 + ((box.width - 6) * (value - first)) / span;
    const toY = (value: number): number =>
      box.top + box.height - 3 - ((box.height - 6) * (value - box.low)) / (box.high - box.low);
    ctx.lineWidth = 0.6;
    ctx.strokeStyle = palette.line;
    ctx.beginPath();
    ctx.moveTo(box.left + 1, toY(0));
    ctx.lineTo(box.left + box.width - 1, toY(0));
    ctx.moveTo(toX(0), box.top + 1);
    ctx.lineTo(toX(0), box.top + box.height - 1);
    ctx.stroke();
    if (tile.density) this.drawDensity(ctx, tile.density, box, toX);
    if (tile.mark) {
      ctx.font = `9px ${palette.fontFamily}`;
      ctx.fillStyle = palette.dim;
      ctx.textBaseline = 'top';
      ctx.textAlign = 'left';
      ctx.fillText(tile.mark, box.left + 4, box.top + 3);
    }
    if (tile.start) this.drawShape(ctx, tile.start, palette.faint, 1, toX, toY);
    const isFinite = tile.now.every((value) => Number.isFinite(value));
    this.drawShape(ctx, tile.now, isFinite ? palette.foreground : palette.nonFinite, 1.4, toX, toY);
    if (!isFinite) {
      ctx.fillStyle = palette.nonFinite;
      ctx.fillRect(box.left + box.width - 8, box.top + 3, 5, 5);
    }
    ctx.restore();
  }

  /** What is clean is filled, what is attacked a line over it. */
  private drawDensity(
    ctx: CanvasRenderingContext2D,
    { x, clean, attacked }: Pick<ChannelDensity, 'x' | 'clean' | 'attacked'>,
    box: { left: number; top: number; width: number; height: number },
    toX: (value: number) => number,
  ): void {
    const bottom = box.top + box.height - 1;
    const trace = (shares: Float64Array): void => {
      ctx.beginPath();
      ctx.moveTo(toX(x[0]!), bottom);
      shares.forEach((share, bin) => {
        ctx.lineTo(toX(x[bin]!), bottom - share * 0.45 * box.height);
      });
      ctx.lineTo(toX(x.at(-1)!), bottom);
    };
    trace(clean);
    ctx.globalAlpha = 0.28;
    ctx.fillStyle = this.palette.clean;
    ctx.fill();
    ctx.globalAlpha = 0.8;
    trace(attacked);
    ctx.strokeStyle = this.palette.attacked;
    ctx.lineWidth = 0.8;
    ctx.stroke();
    ctx.globalAlpha = 1;
  }

  private drawShape(
    ctx: CanvasRenderingContext2D,
    values: Float64Array,
    color: string,
    width: number,
    toX: (value: number) => number,
    toY: (value: number) => number,
  ): void {
    ctx.strokeStyle = color;
    ctx.lineWidth = width;
    ctx.lineJoin = 'round';
    ctx.beginPath();
    for (let index = 0; index < values.length; index++) {
      if (Number.isFinite(values[index]!)) ctx.lineTo(toX(this.x[index]!), toY(values[index]!));
    }
    ctx.stroke();
  }

  private readonly onClick = (event: MouseEvent): void => {
    const box = this.canvas.getBoundingClientRect();
    const { columns, width, height } = this.layout();
    const column = Math.min(columns - 1, Math.floor((event.clientX - box.left) / (width + gap)));
    this.choose(Math.floor((event.clientY - box.top) / (height + gap)) * columns + column);
  };

  private readonly onKey = (event: KeyboardEvent): void => {
    if (this.takesKey(event)) return;
    const { columns } = this.layout();
    const moves: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    const position = this.tiles.findIndex(({ channel }) => channel === this.chosen) + move;
    this.choose(position);
    const tile = this.tiles[position];
    if (tile) this.say(`channel ${tile.channel.toString()}, ${tileText(tile)}`);
  };

  private choose(position: number): void {
    const channel = this.tiles[position]?.channel;
    if (channel === undefined) return;
    this.dispatchEvent(new CustomEvent('channel-chosen', { detail: { channel }, bubbles: true, composed: true }));
  }
}

/** What its picture shows: from where to where the values go. */
function tileText({ now }: ShapeTile): string {
  if (!now.every(Number.isFinite)) return 'not finite';
  return `from ${formatNumber(Math.min(...now), 3)} to ${formatNumber(Math.max(...now), 3)}`;
}
