// Proportions with their uncertainty: of finished evaluations on the server, of those still running in the panels.
import type { Proportion } from './records.ts';

/** The two-sided 95 % quantile of the normal distribution. */
const z = 1.959963984540054;

/**
 * count/total with the Wilson score interval at 95 % (Wilson 1927, eq. 1): it stays in [0, 1] and holds near 0 and 1, where
 * robust accuracies are. Of nothing: NaN, within [0, 1].
 */
export function wilsonInterval(count: number, total: number): Proportion {
  if (total <= 0) return { value: Number.NaN, low: 0, high: 1 };
  const value = count / total;
  const denominator = 1 + (z * z) / total;
  const center = (value + (z * z) / (2 * total)) / denominator;
  const half = (z / denominator) * Math.sqrt((value * (1 - value)) / total + (z * z) / (4 * total * total));
  // At 0 and 1 rounding could leave the proportion just outside its interval.
  return { value, low: Math.min(value, Math.max(0, center - half)), high: Math.max(value, Math.min(1, center + half)) };
}
