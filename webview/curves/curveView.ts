// How curves are looked at, those of one run as those of many: kept with the view of their panel.
import type { YScale } from '../charts/curve.ts';
import type { CardFrames } from '../controls/cardFrame.ts';
import type { Range } from './decimate.ts';

/** `relative` is the time since a run's first step, `wall` that of the day. */
export type CurveAxis = 'step' | 'epoch' | 'relative' | 'wall';

export interface CurveView {
  /** A regular expression that the names of curves match. */
  readonly filter: string;
  readonly smoothing: number;
  readonly axis: CurveAxis;
  readonly xScale: YScale;
  readonly yScale: YScale;
  readonly isWithoutOutliers: boolean;
  /** The part of x that is shown, on the axis that is chosen; null for all. */
  readonly zoom: Range | null;
  readonly cards: CardFrames;
}

export const defaultCurveView: CurveView = {
  filter: '',
  smoothing: 0.9,
  axis: 'step',
  xScale: 'linear',
  yScale: 'linear',
  isWithoutOutliers: false,
  zoom: null,
  cards: {},
};

/** What was kept, laid over the defaults; what is of another kind than it should be is left out. What may be null is taken as it is. */
export function laidOver<View extends object>(kept: unknown, defaults: View): View {
  if (typeof kept !== 'object' || kept === null) return defaults;
  const usual = { ...defaults } as Readonly<Record<string, unknown>>;
  const known = Object.entries(kept).filter(([key, value]) => {
    if (!Object.hasOwn(usual, key)) return false;
    return value === null || usual[key] === null ? usual[key] === null : typeof value === typeof usual[key];
  });
  return { ...defaults, ...Object.fromEntries(known) };
}

/** Whether the text has the pattern in it; a pattern that is none matches as plain text. */
export function matches(text: string, pattern: string): boolean {
  const trimmed = pattern.trim();
  if (trimmed === '') return true;
  try {
    return new RegExp(trimmed, 'i').test(text);
  } catch {
    return text.toLowerCase().includes(trimmed.toLowerCase());
  }
}

/** Stretches of y that a person has chosen are of one scale. */
export function withoutChosenY(cards: CardFrames): CardFrames {
  return Object.fromEntries(Object.entries(cards).map(([name, { y: _, ...others }]) => [name, others]));
}

/** A slider of smoothing, from none to 0.999: it goes in decades of 1 − weight, as 0.99 and 0.999 differ as much as 0 and 0.9. @param slider in [0, 1] */
export function smoothingOf(slider: number): number {
  return Number((1 - 10 ** (-3 * slider)).toFixed(slider > 0.66 ? 4 : 3));
}

export function sliderOf(smoothing: number): number {
  return Math.min(1, Math.log10(1 / (1 - smoothing)) / 3);
}
