// A test whose loss is no number: the training steps may all have been finite, the network at rest is not.
import type { HealthRule } from '../healthRule.ts';

export const testNotFinite: HealthRule = {
  title: 'The test loss is not finite',
  severity: 'failure',
  meaning:
    'The weights are finite, what the network makes of test data with its running statistics is not. Its accuracies mean nothing, so ' +
    'the attacks of the experiment are not run.',
  remedy: 'Lower the learning rate, or go back to an earlier checkpoint.',
  tab: 'curves',
  watch: () => (record) => {
    if (record.type !== 'test' || Number.isFinite(record.loss)) return null;
    return {
      step: record.step,
      evidence: `After epoch ${String(record.epoch)} the test loss is ${String(record.loss)}, the accuracy ${(100 * record.accuracy).toFixed(1)} %.`,
    };
  },
};
