// What stands above a picture where it is saved, as above its card: title, what the heading says besides, and the legend.
import type { Palette } from '../theme/palette.ts';

export interface LegendEntry {
  readonly name: string;
  /** Any CSS colour. */
  readonly color: string;
}

export interface Heading {
  readonly title: string;
  /** In the order of the heading. */
  readonly besides: readonly string[];
}

/** Of the card that an element is in, without its buttons; what stands in none says it itself (`data-title`). */
export function headingOf(element: HTMLElement): Heading {
  const { title } = element.dataset;
  if (title !== undefined) return { title, besides: [] };
  const parts = [...(element.closest('.card')?.querySelector('h2, h3')?.childNodes ?? [])]
    .filter((node) => (node instanceof Element ? !node.matches('button, .frame, .swatch') : node instanceof Text))
    .map((node) => node.textContent?.replace(/\s+/g, ' ').trim() ?? '')
    .filter((text) => text !== '');
  return { title: parts[0] ?? 'picture', besides: parts.slice(1) };
}

const margin = 8;
const lineHeight = 17;

/** A head that fits the width, to be painted at a context's origin. */
export function pictureHead(
  ctx: CanvasRenderingContext2D,
  { title, besides }: Heading,
  { legend, width, palette }: { legend: readonly LegendEntry[]; width: number; palette: Palette },
): { height: number; paint(on: CanvasRenderingContext2D): void } {
  const fonts = { title: `600 13px ${palette.fontFamily}`, other: `400 11px ${palette.fontFamily}` };
  const widthOf = (text: string, font: string) => {
    ctx.font = font;
    return ctx.measureText(text).width;
  };
  const texts = [
    { text: title, font: fonts.title, color: palette.foreground, swatch: null },
    ...besides.map((text) => ({ text, font: fonts.other, color: palette.dim, swatch: null })),
    ...legend.map(({ name, color }) => ({ text: name, font: fonts.other, color: palette.foreground, swatch: color })),
  ];
  let [x, line] = [margin, 0];
  const placed = texts.map((each, index) => {
    const room = widthOf(each.text, each.font) + (each.swatch === null ? 0 : 18);
    const beginsLegend = index > 0 && each.swatch !== null && texts[index - 1]!.swatch === null;
    if (beginsLegend || (x > margin && x + room > width - margin)) [x, line] = [margin, line + 1];
    const left = x;
    x += room + 12;
    return { ...each, left, baseline: margin + 11 + line * lineHeight };
  });
  return {
    height: margin + (line + 1) * lineHeight,
    paint(on) {
      on.textAlign = 'left';
      on.textBaseline = 'alphabetic';
      for (const { text, font, color, swatch, left, baseline } of placed) {
        if (swatch !== null) {
          on.fillStyle = swatch;
          on.fillRect(left, baseline - 5, 13, 3);
        }
        on.font = font;
        on.fillStyle = color;
        on.fillText(text, left + (swatch === null ? 0 : 18), baseline);
      }
    },
  };
}
