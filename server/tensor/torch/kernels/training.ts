// What a training step needs besides its network: the loss, optimizer updates, the attack's step, and norms.
import type * as tf from '@tensorflow/tfjs-core';
import type { AttackStepOptions } from '../../ops/attackStep.ts';
import type { AdamUpdate, SgdUpdate } from '../../ops/optimizer.ts';
import type { Handle, Torch } from '../torch.ts';
import { filled, floats, onlyFloats, torchKernel, updateKernel, type TorchKernel } from './torchKernel.ts';

interface SgdInputs {
  readonly parameter: tf.TensorInfo;
  readonly gradient: tf.TensorInfo;
  readonly velocity?: tf.TensorInfo;
}

interface AdamInputs {
  readonly parameter: tf.TensorInfo;
  readonly gradient: tf.TensorInfo;
  readonly firstMoment: tf.TensorInfo;
  readonly secondMoment: tf.TensorInfo;
}

interface AttackInputs {
  readonly x: tf.TensorInfo;
  readonly clean: tf.TensorInfo;
  readonly gradient: tf.TensorInfo;
}

interface LossInputs {
  readonly logits: tf.TensorInfo;
  readonly labels: tf.TensorInfo;
}

interface LossGradInputs {
  readonly dy: tf.TensorInfo;
  readonly probabilities: tf.TensorInfo;
  readonly labels: tf.TensorInfo;
}

const takesLoss: TorchKernel['takes'] = filled((inputs) => inputs[0]!.dtype === 'float32');

export const trainingKernels: readonly TorchKernel[] = [
  updateKernel<SgdInputs, SgdUpdate>(
    'KafscopeSgdUpdate',
    (torch, of, { parameter, gradient, velocity }, { learningRate, momentum, weightDecay }) => {
      const slope = torch.addScaled(of(gradient), of(parameter), weightDecay);
      const step = velocity ? torch.addScaled(slope, of(velocity), momentum) : slope;
      const moved: [tf.TensorInfo, Handle] = [parameter, torch.addScaled(of(parameter), step, -learningRate)];
      return velocity ? [moved, [velocity, step]] : [moved];
    },
  ),
  updateKernel<AdamInputs, AdamUpdate>(
    'KafscopeAdamUpdate',
    (torch, of, { parameter, gradient, firstMoment, secondMoment }, attributes) => {
      const { step, learningRate, beta1, beta2, epsilon, weightDecay } = attributes;
      const slope = torch.addScaled(of(gradient), of(parameter), weightDecay);
      const first = torch.addScaled(torch.scale(of(firstMoment), beta1), slope, 1 - beta1);
      const second = torch.addScaled(torch.scale(of(secondMoment), beta2), torch.call('mul', slope, slope), 1 - beta2);
      const deviation = torch.scale(torch.call('sqrt', second), 1 / Math.sqrt(1 - beta2 ** step));
      const change = torch.call('div', first, torch.add(deviation, torch.constant(epsilon)));
      const moved = torch.addScaled(of(parameter), change, -learningRate / (1 - beta1 ** step));
      return [
        [parameter, moved],
        [firstMoment, first],
        [secondMoment, second],
      ];
    },
  ),
  torchKernel<AttackInputs, AttackStepOptions>(
    'KafscopeAttackStep',
    onlyFloats,
    (torch, of, { x, clean, gradient }, { stepSize, epsilon }) => {
      // Not sign: of NaN it is no number that would leave the pixel where it is.
      const [zero, slope] = [torch.constant(0), of(gradient)];
      const backwards = torch.call('where', torch.call('lt', slope, zero), torch.constant(-stepSize), zero);
      const step = torch.call('where', torch.call('gt', slope, zero), torch.constant(stepSize), backwards);
      const offset = torch.sub(torch.add(of(x), step), of(clean));
      const inBall = torch.call('clamp', offset, torch.constant(-epsilon), torch.constant(epsilon));
      return floats(torch.call('clamp', torch.add(of(clean), inBall), zero, torch.constant(1)));
    },
  ),
  torchKernel<readonly tf.TensorInfo[]>('KafscopeNorms', filled(onlyFloats), (torch, of, tensors) => {
    if (tensors.length === 0) return [floats(torch.empty([0])), { handle: torch.empty([0], 'int32'), dtype: 'int32' }];
    const parts = tensors.map((tensor) => normAndCount(torch, of(tensor)));
    const norms = torch.call(
      'stack',
      parts.map(([norm]) => norm!),
      0,
    );
    const counts = torch.call(
      'stack',
      parts.map(([, count]) => count!),
      0,
    );
    return [floats(norms), { handle: counts, dtype: 'int32' }];
  }),
  torchKernel<LossInputs>('KafscopeCrossEntropy', takesLoss, (torch, of, { logits, labels }) => {
    const [nSamples, nClasses] = logits.shape as [number, number];
    const shifted = torch.sub(of(logits), torch.call('amax', of(logits), [1], true));
    const exponentials = torch.call('exp', shifted);
    const sums = torch.call('sum', exponentials, [1], true, null);
    const isLabel = isOfLabel(torch, of(labels), nSamples, nClasses);
    // Chosen, not multiplied: 0·(−Inf) is NaN.
    const chosen = torch.call('where', isLabel, shifted, torch.constant(0));
    const losses = torch.sub(torch.call('log', sums), torch.call('sum', chosen, [1], true, null));
    // A label that is no class makes the loss NaN.
    const isValid = torch.call('amax', isLabel, [1], true);
    const made = torch.call('where', isValid, losses, torch.constant(Number.NaN));
    return [floats(torch.view(made, [nSamples])), floats(torch.call('div', exponentials, sums))];
  }),
  torchKernel<LossGradInputs>('KafscopeCrossEntropyGrad', takesLoss, (torch, of, { dy, probabilities, labels }) => {
    const [nSamples, nClasses] = probabilities.shape as [number, number];
    const isLabel = torch.cast(isOfLabel(torch, of(labels), nSamples, nClasses), 'float32');
    const offset = torch.sub(of(probabilities), isLabel);
    return floats(torch.call('mul', torch.view(of(dy), [nSamples, 1]), offset));
  }),
];

/** Bool `[B, K]`, true where the class is the sample's label. */
function isOfLabel(torch: Torch, labels: Handle, nSamples: number, nClasses: number): Handle {
  return torch.call('eq', torch.view(labels, [nSamples, 1]), torch.range(nClasses));
}

function normAndCount(torch: Torch, x: Handle): readonly Handle[] {
  return torch.scope(() => {
    const norm = torch.call('sqrt', torch.call('sum', torch.call('mul', x, x), null, false, null));
    const count = torch.call(
      'sum',
      torch.call('logical_not', torch.call('isfinite', x)),
      null,
      false,
      torch.codes.int32,
    );
    return [norm, count];
  });
}
