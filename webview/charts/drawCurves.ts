// Draws prepared curves into a Chart.js chart area. Chart.js lays out axes, ticks and grid; it makes an element object for every
// point of its own lines, which hundreds of curves at ten redraws a second can't afford, so the lines are drawn here.
import type { Chart, Scale } from 'chart.js';
import type { DecimatedCurve } from '../curves/decimate.ts';
import type { Palette } from '../theme/palette.ts';
import type { PreparedCurve } from './curve.ts';

export function drawCurves(chart: Chart, prepared: readonly PreparedCurve[], palette: Palette): void {
  const { ctx, chartArea, scales } = chart;
  const x = scales.x;
  const y = scales.y;
  if (!x || !y) return;
  const toX = projection(x, 'horizontal');
  const toY = projection(y, 'vertical');
  ctx.save();
  ctx.beginPath();
  ctx.rect(
    chartArea.left,
    chartArea.top - 1,
    chartArea.right - chartArea.left + 1,
    chartArea.bottom - chartArea.top + 2,
  );
  ctx.clip();
  ctx.lineJoin = 'round';
  for (const { curve, band } of prepared) {
    if (band) drawBand(ctx, band.low, band.high, curve.color, toX, toY);
  }
  for (const { curve, points } of prepared) {
    ctx.globalAlpha = curve.opacity ?? 1;
    ctx.strokeStyle = curve.color;
    ctx.lineWidth = curve.width ?? 1.4;
    ctx.setLineDash(curve.isDashed ? [4, 3] : []);
    if (!curve.hasNoLine) drawLine(ctx, points, toX, toY);
    ctx.setLineDash([]);
    if (curve.hasDots || points.x.length === 1) drawDots(ctx, points, curve.color, toX, toY);
  }
  ctx.globalAlpha = 1;
  drawMarks(ctx, prepared, palette.nonFinite, toX, chartArea);
  ctx.restore();
}

/** From a value to pixels, as the scale itself would; values at or below zero lie at the bottom of a log scale. */
function projection(scale: Scale, direction: 'horizontal' | 'vertical'): (value: number) => number {
  const isLog = scale.type === 'logarithmic';
  const low = isLog ? Math.log10(scale.min) : scale.min;
  const high = isLog ? Math.log10(scale.max) : scale.max;
  const start = direction === 'horizontal' ? scale.left : scale.bottom;
  const length = direction === 'horizontal' ? scale.right - scale.left : scale.top - scale.bottom;
  const factor = high > low ? length / (high - low) : 0;
  if (!isLog) return (value) => start + (value - low) * factor;
  return (value) => (value > 0 ? start + (Math.log10(value) - low) * factor : start + 2);
}

function drawLine(
  ctx: CanvasRenderingContext2D,
  points: DecimatedCurve,
  toX: (value: number) => number,
  toY: (value: number) => number,
): void {
  ctx.beginPath();
  let isDown = false;
  for (let index = 0; index < points.x.length; index++) {
    const value = points.y[index]!;
    if (Number.isNaN(value)) {
      isDown = false;
      continue;
    }
    if (isDown) ctx.lineTo(toX(points.x[index]!), toY(value));
    else ctx.moveTo(toX(points.x[index]!), toY(value));
    isDown = true;
  }
  ctx.stroke();
}

function drawDots(
  ctx: CanvasRenderingContext2D,
  points: DecimatedCurve,
  color: string,
  toX: (value: number) => number,
  toY: (value: number) => number,
): void {
  ctx.fillStyle = color;
  for (let index = 0; index < points.x.length; index++) {
    if (Number.isNaN(points.y[index]!)) continue;
    ctx.beginPath();
    ctx.arc(toX(points.x[index]!), toY(points.y[index]!), 2.2, 0, 2 * Math.PI);
    ctx.fill();
  }
}

function drawBand(
  ctx: CanvasRenderingContext2D,
  low: DecimatedCurve,
  high: DecimatedCurve,
  color: string,
  toX: (value: number) => number,
  toY: (value: number) => number,
): void {
  ctx.globalAlpha = 0.16;
  ctx.fillStyle = color;
  ctx.beginPath();
  for (let index = 0; index < high.x.length; index++) {
    if (!Number.isNaN(high.y[index]!)) ctx.lineTo(toX(high.x[index]!), toY(high.y[index]!));
  }
  for (let index = low.x.length - 1; index >= 0; index--) {
    if (!Number.isNaN(low.y[index]!)) ctx.lineTo(toX(low.x[index]!), toY(low.y[index]!));
  }
  ctx.closePath();
  ctx.fill();
  ctx.globalAlpha = 1;
}

/** A hairline with a triangle: at the top for +∞, else at the bottom. */
function drawMarks(
  ctx: CanvasRenderingContext2D,
  prepared: readonly PreparedCurve[],
  color: string,
  toX: (value: number) => number,
  area: { top: number; bottom: number },
): void {
  ctx.strokeStyle = color;
  ctx.fillStyle = color;
  ctx.lineWidth = 1;
  for (const { curve, points } of prepared) {
    if (curve.hasNoMarks) continue;
    for (const mark of points.marks) {
      const x = toX(mark.x);
      ctx.globalAlpha = 0.45;
      ctx.beginPath();
      ctx.moveTo(x, area.top);
      ctx.lineTo(x, area.bottom);
      ctx.stroke();
      ctx.globalAlpha = 1;
      const tip = mark.value === Infinity ? area.top + 6 : area.bottom - 6;
      const edge = mark.value === Infinity ? area.top : area.bottom;
      ctx.beginPath();
      ctx.moveTo(x - 4, edge);
      ctx.lineTo(x + 4, edge);
      ctx.lineTo(x, tip);
      ctx.closePath();
      ctx.fill();
    }
  }
}
