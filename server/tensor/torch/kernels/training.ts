// What a training step needs besides its network: the loss, optimizer updates, the attack's step, and norms.
import type * as tf from '@tensorflow/tfjs-core';
import type { AttackStepOptions } from '../../ops/attackStep.ts';
import {
  momentumAt,
  type AdamUpdate,
  type SgdUpdate,
  type StatisticMove,
  type WeightDecay,
} from '../../ops/optimizer.ts';
import type { AtStep } from '../../ops/step.ts';
import type { Handle, Torch } from '../torch.ts';
import { filled, floats, onlyFloats, torchKernel, updateKernel, type Of, type TorchKernel } from './torchKernel.ts';

interface SgdInputs {
  readonly parameter: tf.TensorInfo;
  readonly gradient: tf.TensorInfo;
  readonly velocity?: tf.TensorInfo;
  readonly halted?: tf.TensorInfo;
}

interface AdamInputs {
  readonly parameter: tf.TensorInfo;
  readonly gradient: tf.TensorInfo;
  readonly firstMoment: tf.TensorInfo;
  readonly secondMoment: tf.TensorInfo;
  readonly halted?: tf.TensorInfo;
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

interface DecayInputs {
  readonly parameter: tf.TensorInfo;
  readonly halted?: tf.TensorInfo;
}

interface StatisticInputs {
  readonly statistic: tf.TensorInfo;
  readonly batch: tf.TensorInfo;
  readonly halted?: tf.TensorInfo;
}

interface OverwriteInputs {
  readonly target: tf.TensorInfo;
  readonly source: tf.TensorInfo;
  readonly halted?: tf.TensorInfo;
}

interface HaltInputs {
  readonly halted: tf.TensorInfo;
  readonly nonFinite: tf.TensorInfo;
}

interface ClipOptions {
  readonly type: 'global' | 'layer';
  readonly limit: number;
}

const takesLoss: TorchKernel['takes'] = filled((inputs) => inputs[0]!.dtype === 'float32');

export const trainingKernels: readonly TorchKernel[] = [
  updateKernel<SgdInputs, SgdUpdate>(
    'KafscopeSgdUpdate',
    (torch, of, { parameter, gradient, velocity, halted }, { at, momentum, weightDecay }) => {
      const slope = torch.addScaled(of(gradient), of(parameter), weightDecay);
      const step = velocity ? torch.addScaled(slope, of(velocity), momentum) : slope;
      const moved: [tf.TensorInfo, Handle] = [parameter, torch.addScaled(of(parameter), step, -at.learningRate)];
      return unlessHalted(torch, of, halted, velocity ? [moved, [velocity, step]] : [moved]);
    },
  ),
  updateKernel<AdamInputs, AdamUpdate>(
    'KafscopeAdamUpdate',
    (torch, of, { parameter, gradient, firstMoment, secondMoment, halted }, attributes) => {
      const { at, beta1, beta2, epsilon, weightDecay } = attributes;
      const { step, learningRate } = at;
      const slope = torch.addScaled(of(gradient), of(parameter), weightDecay);
      const first = torch.addScaled(torch.scale(of(firstMoment), beta1), slope, 1 - beta1);
      const second = torch.addScaled(torch.scale(of(secondMoment), beta2), torch.call('mul', slope, slope), 1 - beta2);
      const deviation = torch.scale(torch.call('sqrt', second), 1 / Math.sqrt(1 - beta2 ** step));
      const change = torch.call('div', first, torch.add(deviation, torch.constant(epsilon)));
      const moved = torch.addScaled(of(parameter), change, -learningRate / (1 - beta1 ** step));
      return unlessHalted(torch, of, halted, [
        [parameter, moved],
        [firstMoment, first],
        [secondMoment, second],
      ]);
    },
  ),
  updateKernel<DecayInputs, WeightDecay>('KafscopeDecay', (torch, of, { parameter, halted }, { at, weightDecay }) =>
    unlessHalted(torch, of, halted, [[parameter, torch.scale(of(parameter), 1 - at.learningRate * weightDecay)]]),
  ),
  updateKernel<StatisticInputs, StatisticMove>(
    'KafscopeMoveStatistic',
    (torch, of, { statistic, batch, halted }, move) => {
      const momentum = momentumAt(move);
      const kept = torch.scale(of(statistic), momentum);
      const moved = torch.addScaled(kept, of(batch), (1 - momentum) * move.scale);
      return unlessHalted(torch, of, halted, [[statistic, moved]]);
    },
  ),
  updateKernel<OverwriteInputs, undefined>('KafscopeOverwrite', (torch, of, { target, source, halted }) =>
    unlessHalted(torch, of, halted, [[target, torch.copy(of(source))]]),
  ),
  updateKernel<HaltInputs, { readonly at: AtStep }>('KafscopeHalt', (torch, of, { halted, nonFinite }, { at }) => {
    const zero = torch.constant(0);
    const isBroken = torch.call('gt', torch.call('sum', of(nonFinite), null, false, torch.codes.int32), zero);
    const isFirst = torch.call('logical_and', torch.call('eq', of(halted), zero), isBroken);
    return [[halted, torch.call('where', isFirst, torch.full([1], at.step, 'int32'), of(halted))]];
  }),
  torchKernel<{ readonly norms: tf.TensorInfo }, ClipOptions>(
    'KafscopeClipFactors',
    filled(onlyFloats),
    (torch, of, { norms }, { type, limit }) => {
      const each = of(norms);
      const squares = type === 'global' ? torch.call('sum', torch.call('mul', each, each), [0], true, null) : each;
      const lengths =
        type === 'global' ? torch.call('broadcast', torch.call('sqrt', squares), norms.shape, false) : each;
      const bound = torch.constant(limit);
      const isLonger = torch.call('gt', lengths, bound);
      return floats(torch.call('where', isLonger, torch.call('div', bound, lengths), torch.constant(1)));
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

/** Each target with what it is to hold: what it holds where the flag is set. */
function unlessHalted(
  torch: Torch,
  of: Of,
  halted: tf.TensorInfo | undefined,
  moves: readonly [tf.TensorInfo, Handle][],
): readonly [tf.TensorInfo, Handle][] {
  if (!halted) return moves;
  const isHalted = torch.call('gt', torch.view(of(halted), []), torch.constant(0));
  return moves.map(([target, moved]) => [target, torch.call('where', isHalted, of(target), moved)]);
}

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
