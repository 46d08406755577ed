// Weights that leave every scale in which a network works.
import type { HealthRule } from '../healthRule.ts';

/** Root mean square of a tensor that no sound network comes near. */
const outOfScale = 1000;
/** From one record of the norms to the next, and from which root mean square on that counts. */
const jump = 100;
const jumpFrom = 10;

export const weightsJump: HealthRule = {
  title: 'Weights jumped by decades',
  severity: 'failure',
  meaning: 'A step moved a tensor so far that what was learnt, or the scale that it started with, is gone.',
  remedy: 'Lower the learning rate, warm it up, or clip the gradients of each layer by its own norm.',
  tab: 'norms',
  watch: ({ prepared: { parameters } }) => {
    const roots = parameters.map(({ shape }) => Math.sqrt(shape.reduce((product, length) => product * length, 1)));
    let before: Float32Array | null = null;
    return (record) => {
      if (record.type !== 'norms') return null;
      const { weights, step } = record;
      const index = parameters.findIndex((_, at) => {
        const rootMeanSquare = weights[at]! / roots[at]!;
        if (rootMeanSquare >= outOfScale) return true;
        return before !== null && rootMeanSquare >= jumpFrom && weights[at]! >= jump * before[at]!;
      });
      const was = before?.[index];
      before = weights;
      if (index < 0) return null;
      const { name, layer } = parameters[index]!;
      const norm = weights[index]!.toExponential(1);
      const from = was === undefined ? '' : ` after ${was.toExponential(1)} at the record before`;
      return { step, layer, evidence: `The norm of ${name} is ${norm}${from}.` };
    };
  },
};
