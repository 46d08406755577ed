// A chart that is SVG in the page, laid out anew for its width. Saved, its elements have the look that the page's sheet gives them.
import { css, html } from 'lit';
import { readPalette, type Palette } from '../theme/palette.ts';
import { Picture, pictureSheet, type Shown } from './picture.ts';
import { escaped } from './svgContext.ts';
import { WidthWatch } from './widthWatch.ts';

export const svgChartSheet = [
  pictureSheet,
  css`
    :host {
      display: block;
      overflow: hidden;
    }
    svg {
      display: block;
      font: 11px var(--vscode-font-family, sans-serif);
    }
    text {
      fill: var(--kaf-dim);
    }
    .name {
      fill: var(--kaf-foreground);
    }
  `,
];

export abstract class SvgChart extends Picture {
  protected readonly watch = new WidthWatch(this);
  protected abstract readonly height: number;

  override get palette(): Palette {
    return readPalette();
  }

  /** The chart's elements in their frame, for those who can't see it as `label` says. */
  protected renderChart(children: unknown, label: string, role: 'img' | 'group'): unknown {
    const { width } = this.watch;
    return html`<svg
        class="chart"
        width=${width}
        height=${this.height}
        viewBox="0 0 ${width} ${this.height}"
        role=${role}
        aria-label=${label}
        aria-keyshortcuts="T"
        tabindex="0"
        @keydown=${(event: KeyboardEvent) => this.takesKey(event)}
      >
        ${children}
      </svg>
      ${this.renderTools()}`;
  }

  protected override shown(): Shown | null {
    const chart = this.renderRoot.querySelector('svg.chart');
    if (!chart) return null;
    const marks = [...chart.querySelectorAll('path, line, circle, text')].map(markOf).filter((mark) => mark !== null);
    return {
      width: this.watch.width,
      height: this.height,
      paint(ctx) {
        for (const mark of marks) paint(ctx, mark);
      },
      svg: () => marks.map(writtenOf).join(''),
    };
  }
}

interface Look {
  readonly fill: string;
  readonly stroke: string;
  readonly strokeWidth: number;
  readonly dashes: readonly number[];
  readonly opacity: number;
}

type Mark = Look &
  (
    | { readonly path: string }
    | {
        readonly text: string;
        readonly x: number;
        readonly y: number;
        readonly anchor: string;
        readonly size: number;
        readonly font: string;
      }
  );

/** Null for what is not seen. */
function markOf(element: Element): Mark | null {
  const style = getComputedStyle(element);
  const stroke = /^(none|transparent|rgba\(0, 0, 0, 0\))$/.test(style.stroke) ? 'none' : style.stroke;
  const look: Look = {
    ...{ fill: style.fill, stroke, strokeWidth: Number.parseFloat(style.strokeWidth), opacity: Number(style.opacity) },
    dashes: style.strokeDasharray === 'none' ? [] : style.strokeDasharray.split(/[ ,]+/).map(Number.parseFloat),
  };
  const number = (name: string) => Number(element.getAttribute(name));
  switch (element.tagName) {
    case 'text': {
      // A title in it is not seen.
      const text = [...element.childNodes].flatMap((node) => (node instanceof Text ? [node.data] : [])).join('');
      if (text.trim() === '') return null;
      const size = Number.parseFloat(style.fontSize);
      const font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
      return { ...look, text: text.trim(), x: number('x'), y: number('y'), anchor: style.textAnchor, size, font };
    }
    case 'circle': {
      const [x, y, r] = [number('cx'), number('cy'), number('r')];
      return { ...look, path: `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z` };
    }
    case 'line':
      return { ...look, path: `M${number('x1')} ${number('y1')}L${number('x2')} ${number('y2')}` };
    default: {
      const path = element.getAttribute('d') ?? '';
      return look.fill === 'none' && stroke === 'none' ? null : { ...look, path };
    }
  }
}

/** The outline of a text lies beneath it, as the sheet of a chart that has one says. */
function paint(ctx: CanvasRenderingContext2D, mark: Mark): void {
  ctx.globalAlpha = mark.opacity;
  ctx.fillStyle = mark.fill;
  ctx.strokeStyle = mark.stroke;
  ctx.lineWidth = mark.strokeWidth;
  ctx.lineJoin = 'round';
  ctx.setLineDash([...mark.dashes]);
  if ('text' in mark) {
    ctx.font = mark.font;
    ctx.textBaseline = 'alphabetic';
    ctx.textAlign = mark.anchor === 'middle' ? 'center' : mark.anchor === 'end' ? 'right' : 'left';
    if (mark.stroke !== 'none') ctx.strokeText(mark.text, mark.x, mark.y);
    ctx.fillText(mark.text, mark.x, mark.y);
  } else {
    const path = new Path2D(mark.path);
    if (mark.fill !== 'none') ctx.fill(path);
    if (mark.stroke !== 'none') ctx.stroke(path);
  }
}

function writtenOf(mark: Mark): string {
  const dashes = mark.dashes.length === 0 ? '' : ` stroke-dasharray="${mark.dashes.join(' ')}"`;
  const look =
    `fill="${escaped(mark.fill)}" stroke="${escaped(mark.stroke)}" stroke-width="${mark.strokeWidth}"` +
    ` opacity="${mark.opacity}" stroke-linejoin="round"${dashes}`;
  return 'text' in mark
    ? `<text x="${mark.x}" y="${mark.y}" text-anchor="${mark.anchor}" font-size="${mark.size}" paint-order="stroke" ${look}>${escaped(mark.text)}</text>`
    : `<path d="${mark.path}" ${look}/>`;
}
