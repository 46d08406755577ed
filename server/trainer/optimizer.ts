// The optimizers of a plan over a network's parameters. The updates themselves are ops that work in place.
import * as tf from '@tensorflow/tfjs-core';
import type { Network } from '../model/network.ts';
import type { Parameter } from '../model/parameters.ts';
import type { OptimizerPlan } from '../protocol/plan.ts';
import { adamUpdate, decay, sgdUpdate } from '../tensor/ops/optimizer.ts';
import { overwrite, type Halted, type StepValues } from '../tensor/ops/step.ts';

export interface Optimizer {
  /** What it remembers, by name: `conv1.kernel.velocity`, or `conv1.kernel.firstMoment` and `….secondMoment`. */
  readonly moments: ReadonlyMap<string, tf.Variable>;
  /**
   * Updates every parameter once, unless the flag is set.
   * @param gradients in the order of the network's parameters
   */
  update(gradients: readonly tf.Tensor[], at: StepValues, halted?: Halted | null): void;
  dispose(): void;
}

/** Weight decay reaches the parameters with `isDecayed` only. */
export function makeOptimizer(plan: OptimizerPlan, network: Network): Optimizer {
  const moments = new Map<string, tf.Variable>();
  const addMoment = (parameter: Parameter, quantity: string): tf.Variable => {
    const variable = tf.tidy(() => tf.variable(tf.zeros([...parameter.shape]), false));
    moments.set(`${parameter.name}.${quantity}`, variable);
    return variable;
  };
  const updates = network.parameters.map((parameter) => makeUpdate(plan, parameter, addMoment));
  const bounded = network.parameters.filter(({ bounds }) => bounds !== null);
  return {
    moments,
    update: (gradients, at, halted = null) => {
      updates.forEach((update, index) => update(gradients[index]!, at, halted));
      for (const parameter of bounded) project(parameter, halted);
    },
    dispose: () => tf.dispose([...moments.values()]),
  };
}

/** Back within its bounds, column by column: projected gradient descent. NaN stays. */
function project({ variable, bounds }: Parameter, halted: Halted | null): void {
  if (!bounds) return;
  tf.tidy(() => {
    const [min, max] = [bounds.min, bounds.max].map((row) => tf.tensor2d([[...row]]));
    overwrite(variable, tf.minimum(tf.maximum(variable, min!), max!), halted);
  });
}

type Update = (gradient: tf.Tensor, at: StepValues, halted: Halted | null) => void;

function makeUpdate(
  plan: OptimizerPlan,
  parameter: Parameter,
  addMoment: (parameter: Parameter, quantity: string) => tf.Variable,
): Update {
  const weightDecay = parameter.isDecayed ? plan.weightDecay : 0;
  switch (plan.type) {
    case 'sgd': {
      const { momentum } = plan;
      const velocity = momentum === 0 ? null : addMoment(parameter, 'velocity');
      if (plan.nesterov && velocity) return nesterov({ ...parameter, velocity, momentum, weightDecay });
      return (gradient, at, halted) =>
        sgdUpdate({ parameter: parameter.variable, gradient, velocity, at, momentum, weightDecay, halted });
    }
    case 'adam':
    case 'adamw': {
      const { beta1, beta2, epsilon } = plan;
      const isApart = plan.type === 'adamw';
      const firstMoment = addMoment(parameter, 'firstMoment');
      const secondMoment = addMoment(parameter, 'secondMoment');
      return (gradient, at, halted) => {
        const { variable } = parameter;
        // Loshchilov & Hutter (2019), algorithm 2, as PyTorch: w ← w − ηλw, then Adam's step.
        if (isApart && weightDecay > 0) decay({ parameter: variable, at, weightDecay, halted });
        adamUpdate({
          ...{ parameter: variable, gradient, firstMoment, secondMoment, halted },
          ...{ at, beta1, beta2, epsilon, weightDecay: isApart ? 0 : weightDecay },
        });
      };
    }
    default:
      return plan satisfies never;
  }
}

interface NesterovUpdate {
  readonly variable: tf.Variable;
  readonly velocity: tf.Variable;
  readonly momentum: number;
  readonly weightDecay: number;
}

const standingStill = { learningRate: 0 };

/** v ← μv + g + λw; w ← w − η(g + λw + μv) (Sutskever et al., 2013, as PyTorch has it), of two updates with one kernel. */
function nesterov({ variable: parameter, velocity, momentum, weightDecay }: NesterovUpdate): Update {
  return (gradient, at, halted) => {
    sgdUpdate({ parameter, gradient, velocity, at: standingStill, momentum, weightDecay, halted });
    const ahead = tf.tidy(() => tf.add(gradient, tf.mul(velocity, momentum)));
    sgdUpdate({ parameter, gradient: ahead, velocity: null, at, momentum: 0, weightDecay, halted });
    ahead.dispose();
  };
}
