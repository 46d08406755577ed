// An ε that is no length in pixel values: larger than the pictures' own contrast, or divided by a standard deviation.
import { readFloats } from '../../tensor/read.ts';
import type { Check } from './suspect.ts';

/**
 * Pictures under L∞: ε against the median standard deviation of an image's values; and whether ε·255 is no whole number while ε·255·std
 * of a channel is, as where ε was given on a normalised scale.
 */
export const epsilonScale: Check = ({ plan, images, labels, bounds, std }) => {
  if (!bounds || plan.norm !== 'linf') return null;
  const values = readFloats(images);
  const size = values.length / labels.length;
  const deviations = Array.from(labels, (_, row) => deviation(values.subarray(row * size, (row + 1) * size)));
  const contrast = deviations.toSorted((a, b) => a - b)[Math.floor(deviations.length / 2)]!;
  const means = 'ε is in pixel values of [0, 1], whatever the network does to them first.';
  if (plan.epsilon > contrast) {
    return {
      flag: 'epsilon-scale',
      measured: `ε is ${plan.epsilon.toPrecision(3)}; the values of half of the images have a standard deviation below ${contrast.toPrecision(3)}.`,
      means: `${means} This one is larger than the images' own contrast.`,
      next: 'Look whether the images lie in [0, 1], and whether ε was meant so.',
    };
  }
  const whole = (value: number) => Math.abs(value - Math.round(value)) < 0.02 && Math.round(value) > 0;
  const scaled = std?.map((channel) => plan.epsilon * 255 * channel) ?? [];
  if (whole(plan.epsilon * 255) || Number.isInteger(Number((plan.epsilon * 1000).toFixed(6))) || !scaled.some(whole))
    return null;
  const pixels = Math.round(scaled.find(whole)!);
  return {
    flag: 'epsilon-scale',
    measured: `ε is ${(plan.epsilon * 255).toFixed(2)}/255, and ${String(pixels)}/255 divided by a channel's standard deviation.`,
    means: `${means} This one looks as if it were of normalised values, and so too large.`,
    next: `Set epsilon: ${String(pixels)}/255.`,
  };
};

function deviation(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
