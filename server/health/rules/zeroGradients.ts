// Parameters that get no gradient at all: the part of the network before a dead one is cut off.
import type { HealthRule } from '../healthRule.ts';

/** Of all parameters, and in absolute count: a branch whose scale starts at 0 is without a gradient in the first step only. */
const share = 0.1;
const fewest = 3;

export const zeroGradients: HealthRule = {
  title: 'Parameters without a gradient',
  severity: 'failure',
  meaning:
    'Their gradient is exactly 0, so they no longer learn: activations have run into a flat part, or a step was so long that what ' +
    'follows can no longer be reached.',
  remedy:
    'Lower the learning rate or warm it up, and look at the step where it began: weights or gradients that jumped there say why.',
  tab: 'norms',
  watch: ({ prepared: { parameters } }) => {
    let before: ReadonlySet<number> | null = null;
    return (record) => {
      if (record.type !== 'norms') return null;
      const dead = new Set(parameters.flatMap((_, index) => (record.gradients[index] === 0 ? [index] : [])));
      const stillDead = [...dead].filter((index) => before?.has(index));
      const isEnough = stillDead.length >= Math.max(fewest, share * parameters.length);
      const wasSeenBefore = before !== null;
      before = dead;
      if (!wasSeenBefore || !isEnough) return null;
      const first = parameters[stillDead[0]!]!;
      return {
        step: record.step,
        layer: first.layer,
        evidence: `${String(stillDead.length)} of ${String(parameters.length)} parameters have a gradient of exactly 0, ${first.name} the first of them.`,
      };
    };
  },
};
