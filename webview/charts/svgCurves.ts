// Curves with their axes as elements of an SVG, as they are seen: Chart.js draws on a canvas alone.
import type { Chart, Scale } from 'chart.js';
import type { DecimatedCurve } from '../curves/decimate.ts';
import type { Palette } from '../theme/palette.ts';
import type { PreparedCurve } from './curve.ts';
import { escaped, place } from './svgContext.ts';

export function svgCurves(chart: Chart, prepared: readonly PreparedCurve[], palette: Palette): string {
  const { chartArea: area, scales } = chart;
  const { x, y } = scales;
  if (!x || !y) return '';
  const text = (at: { x: number; y: number }, words: string, anchor: string): string =>
    `<text x="${place(at.x)}" y="${place(at.y)}" text-anchor="${anchor}" fill="${escaped(palette.dim)}">${escaped(words)}</text>`;
  const ticks = [
    ...x.ticks.map((tick) =>
      text({ x: x.getPixelForValue(tick.value), y: area.bottom + 14 }, labelOf(tick.label), 'middle'),
    ),
    ...y.ticks.flatMap((tick) => {
      const at = y.getPixelForValue(tick.value);
      const line = `M${place(area.left)} ${place(at)}H${place(area.right)}`;
      return [
        `<path d="${line}" stroke="${escaped(palette.line)}" fill="none"/>`,
        text({ x: area.left - 5, y: at + 4 }, labelOf(tick.label), 'end'),
      ];
    }),
  ];
  const curves = prepared.flatMap(({ curve, points, band }) => {
    const shade = band && `<path d="${bandPath(band, x, y)}" fill="${escaped(curve.color)}" opacity="0.16"/>`;
    const look = `stroke="${escaped(curve.color)}" stroke-width="${String(curve.width ?? 1.4)}" opacity="${String(curve.opacity ?? 1)}"`;
    const dashes = curve.isDashed ? ' stroke-dasharray="4 3"' : '';
    const line = curve.hasNoLine
      ? ''
      : `<path d="${linePath(points, x, y)}" fill="none" ${look}${dashes}><title>${escaped(curve.name)}</title></path>`;
    const dots = curve.hasDots || points.x.length === 1 ? dotsOf(points, x, y, curve.color) : '';
    return [shade ?? '', line, dots];
  });
  const clip = `<clipPath id="area"><rect x="${place(area.left)}" y="${place(area.top)}" width="${place(area.right - area.left)}" height="${place(area.bottom - area.top)}"/></clipPath>`;
  return `<g font-size="10">${clip}${ticks.join('')}<g clip-path="url(#area)">${curves.join('')}</g></g>`;
}

function dotsOf(points: DecimatedCurve, x: Scale, y: Scale, color: string): string {
  const dots = Array.from(points.x, (at, index) => {
    const value = points.y[index]!;
    if (Number.isNaN(value)) return '';
    return `<circle cx="${place(x.getPixelForValue(at))}" cy="${place(y.getPixelForValue(value))}" r="2.2"/>`;
  });
  return `<g fill="${escaped(color)}">${dots.join('')}</g>`;
}

/** A gap where a value is not finite. */
function linePath({ x: xs, y: ys }: DecimatedCurve, x: Scale, y: Scale): string {
  let path = '';
  let isDown = false;
  for (let index = 0; index < xs.length; index++) {
    const value = ys[index]!;
    if (Number.isNaN(value)) isDown = false;
    else {
      path += `${isDown ? 'L' : 'M'}${place(x.getPixelForValue(xs[index]!))} ${place(y.getPixelForValue(value))}`;
      isDown = true;
    }
  }
  return path;
}

function bandPath({ low, high }: { low: DecimatedCurve; high: DecimatedCurve }, x: Scale, y: Scale): string {
  const points = (curve: DecimatedCurve): string[] =>
    Array.from(curve.x, (at, index) =>
      Number.isNaN(curve.y[index]!)
        ? ''
        : `${place(x.getPixelForValue(at))} ${place(y.getPixelForValue(curve.y[index]!))}`,
    ).filter((point) => point !== '');
  const all = [...points(high), ...points(low).reverse()];
  return all.length === 0 ? '' : `M${all.join('L')}Z`;
}

function labelOf(label: string | string[] | undefined): string {
  return Array.isArray(label) ? label.join(' ') : (label ?? '');
}
