// The average of the weights, as a setting.
import { flag, number, optionalGroup, word } from './setting.ts';

export const averageSetting = optionalGroup(
  'An exponential moving average of the weights, w̄ ← d·w̄ + (1 − d)·w after every update (Gowal et al., 2020). Tests, early stopping, the best checkpoint and evaluations go by it; checkpoints hold both.',
  {
    decay: number('d, what the average keeps of itself at an update.', { min: 0, max: 1, isMaxExcluded: true }, 0.995),
    warmUp: flag('Begin with a smaller d: min(d, (1 + n)/(10 + n)) after n updates.', true),
    statistics: word(
      'What the average takes for the running means and variances of batch normalisation.',
      {
        average: { description: 'Their averages by the same d.' },
        trained: { description: 'Those of the network that is trained, as they are.' },
      },
      'average',
    ),
  },
  'none',
  { none: { description: 'The weights as they are trained.' } },
);
