// What holds the largest singular values of kernels, as a setting.
import { number, variants } from './setting.ts';

const iterations = number('Power iterations an update.', { min: 1, max: 100 }, 1, { isInteger: true });

export const spectralNormSetting = variants(
  'What holds the largest singular value σ of every kernel, a convolution’s reshaped to a matrix. It is followed by power iteration.',
  'type',
  {
    none: { description: 'Nothing.', keys: {} },
    normalization: {
      description: 'Kernels are divided by it (Miyato et al., 2018); gradients go through σ.',
      equation: 'W/σ(W), σ = vᵀWu;  u ← Wᵀv/‖Wᵀv‖;  v ← Wu/‖Wu‖',
      keys: { iterations },
    },
    penalty: {
      description: 'A penalty on it (Yoshida & Miyato, 2017).',
      equation: 'λ/2·Σσ(W)²',
      keys: {
        iterations,
        lambda: number('λ, what the penalty counts beside the loss.', { min: 0, max: 10, isMinExcluded: true }, 0.01),
      },
    },
  },
  'none',
);
