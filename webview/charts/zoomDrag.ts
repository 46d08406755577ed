// A stretch of x or of y that is chosen by dragging over a chart: of y where the way is more up and down than to the side.
import type { Chart } from 'chart.js';
import type { Range } from '../curves/decimate.ts';

/** In pixels of the frame, and what stands there. */
interface Place {
  readonly left: number;
  readonly top: number;
  readonly x: number;
  readonly y: number;
}

export interface Dragged {
  readonly chart: Chart | null;
  readonly frame: HTMLElement;
  /** Covers what is being chosen. */
  readonly selection: HTMLElement;
  /** Whether a stretch of y can be chosen. */
  readonly hasY: boolean;
}

export class ZoomDrag {
  private readonly of: () => Dragged;
  private from: Place | null = null;

  constructor(of: () => Dragged) {
    this.of = of;
  }

  begin(event: PointerEvent): void {
    this.from = this.placeOf(event);
    this.of().frame.setPointerCapture(event.pointerId);
  }

  /** Where the pointer is by now; null while nothing is drawn. */
  moved(event: PointerEvent): Place | null {
    const to = this.placeOf(event);
    if (this.from && to) this.show(this.from, to);
    return to;
  }

  /** Null of a click. */
  end(event: PointerEvent): { readonly along: 'x' | 'y'; readonly range: Range } | null {
    const { from } = this;
    const to = this.placeOf(event);
    this.from = null;
    this.of().selection.classList.remove('shown');
    if (!from || !to) return null;
    const along = this.alongOf(from, to);
    const px = along === 'y' ? to.top - from.top : to.left - from.left;
    if (Math.abs(px) < leastPx) return null;
    const [one, other] = [from[along], to[along]];
    return { along, range: { from: Math.min(one, other), to: Math.max(one, other) } };
  }

  private alongOf(from: Place, to: Place): 'x' | 'y' {
    return this.of().hasY && Math.abs(to.top - from.top) > 2 * Math.abs(to.left - from.left) ? 'y' : 'x';
  }

  private show(from: Place, to: Place): void {
    const { chart, selection } = this.of();
    if (!chart) return;
    const { chartArea: area } = chart;
    const isOfY = this.alongOf(from, to) === 'y';
    const [left, right] = isOfY
      ? [area.left, area.right]
      : [Math.min(from.left, to.left), Math.max(from.left, to.left)];
    const [top, bottom] = isOfY ? [Math.min(from.top, to.top), Math.max(from.top, to.top)] : [area.top, area.bottom];
    selection.classList.toggle('shown', true);
    selection.style.transform = `translate(${left.toFixed(1)}px, ${top.toFixed(1)}px)`;
    selection.style.width = `${(right - left).toFixed(1)}px`;
    selection.style.height = `${(bottom - top).toFixed(1)}px`;
  }

  /** Within the axes. */
  private placeOf(event: PointerEvent): Place | null {
    const { chart, frame } = this.of();
    const across = chart?.scales.x;
    const up = chart?.scales.y;
    if (!chart || !across || !up) return null;
    const { chartArea: area } = chart;
    const box = frame.getBoundingClientRect();
    const left = Math.min(area.right, Math.max(area.left, event.clientX - box.left));
    const top = Math.min(area.bottom, Math.max(area.top, event.clientY - box.top));
    return { left, top, x: across.getValueForPixel(left) ?? across.min, y: up.getValueForPixel(top) ?? up.min };
  }
}

/** Less is a click. */
const leastPx = 6;
