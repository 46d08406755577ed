// A slider of smoothing, from none to 0.999: it goes in decades of 1 − weight, as 0.99 and 0.999 differ as much as 0 and 0.9.

/** @param slider in [0, 1] */
export function smoothingOf(slider: number): number {
  return Number((1 - 10 ** (-3 * slider)).toFixed(slider > 0.66 ? 4 : 3));
}

export function sliderOf(smoothing: number): number {
  return Math.min(1, Math.log10(1 / (1 - smoothing)) / 3);
}
