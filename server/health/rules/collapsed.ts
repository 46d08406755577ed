// A training against one step after which the network withstands that step alone, as the watch over it has found.
import type { HealthRule } from '../healthRule.ts';

export const collapsed: HealthRule = {
  title: 'Catastrophic overfitting',
  severity: 'warning',
  meaning:
    'The network has come to withstand the one step that it is trained against and nothing more: its robust accuracy in training looks ' +
    'better than ever, against several steps it falls.',
  remedy:
    'Go back to a checkpoint before it, or train with a smaller ε or learning rate, with more noise (n-fgsm), with gradients held ' +
    'together (gradalign), or against several steps (pgd). watch: {onCollapse: roll-back} goes back by itself.',
  tab: 'curves',
  watch: () => (record) => (record.type === 'collapsed' ? { step: record.step, evidence: record.message } : null),
};
