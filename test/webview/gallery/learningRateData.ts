// A made-up sweep of learning rates for pictures: a plateau, a fall, an explosion.
import type { ToLearningRate } from '../../../server/protocol/panel.ts';
import { smoothedLoss, suggestedEnds, suggestRates, usualSweep } from '../../../server/protocol/learningRates.ts';

const { from, to, steps } = usualSweep;

export function makeSweep(scene: string): ToLearningRate {
  const count = scene === 'running' ? 38 : scene === 'empty' || scene === 'failed' ? 0 : 86;
  const losses: number[] = [];
  const points = Array.from({ length: count }, (_, index) => {
    const learningRate = from * (to / from) ** (index / (steps - 1));
    const fall = 1.1 / (1 + Math.exp(-3 * (Math.log10(learningRate) + 3.2)));
    const explosion = Math.max(0, Math.log10(learningRate) + 1.2) ** 3 * 300;
    losses.push(2.34 - fall + explosion + 0.05 * Math.sin(index * 12.9898));
    return { step: index + 1, learningRate, loss: losses.at(-1)!, smoothed: smoothedLoss(losses) };
  });
  const isDone = scene === 'done' || scene === 'applied';
  const suggestions = isDone ? suggestRates(points) : [];
  const ends = suggestedEnds(suggestions);
  return {
    name: 'kaf-light.kaf.yaml',
    status: isDone ? 'done' : scene === 'failed' ? 'failed' : scene === 'cancelled' ? 'cancelled' : 'running',
    message:
      scene === 'failed'
        ? 'There is no folder /data/cifar-10-batches-bin. Set dataset.path to the folder that holds data_batch_1.bin.'
        : null,
    ...{ steps, points, suggestions, ends, applied: scene === 'applied' ? ends : null },
  };
}
