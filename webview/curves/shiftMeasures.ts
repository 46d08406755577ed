// How far an attack moves what a layer answers, h(x) → h(x′), by each measure that there is.
import type { ShiftMeasure } from '../../server/protocol/outcomes.ts';

export interface MeasureText {
  readonly text: string;
  readonly equation: string;
  readonly means: string;
}

export const shiftMeasures: Readonly<Record<ShiftMeasure, MeasureText>> = {
  relative: {
    ...{ text: 'relative', equation: '‖h(x′) − h(x)‖₂ / ‖h(x)‖₂' },
    means: 'The shift as a share of the answer: what layers of different sizes are compared by. Mean over the images.',
  },
  l2: { text: 'L2', equation: '‖h(x′) − h(x)‖₂', means: 'The length of the shift. Mean over the images.' },
  ks: {
    ...{ text: 'KS', equation: 'max |F(h) − F′(h)|' },
    means: 'Kolmogorov–Smirnov: how far the distributions of all values are apart, from 0 to 1.',
  },
  thesis: {
    ...{ text: 'thesis', equation: 'Σ (g(x′) − g(x))²' },
    means:
      'What the thesis calls the L2 norm: the sum of squares, without a root, of the means of each channel over the image. Mean over the images.',
  },
};
