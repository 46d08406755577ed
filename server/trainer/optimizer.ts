// The optimizers of a plan over a network's parameters. The updates themselves are ops that work in place.
import * as tf from '@tensorflow/tfjs-core';
import type { Network } from '../model/network.ts';
import type { Parameter } from '../model/parameters.ts';
import type { OptimizerPlan } from '../protocol/plan.ts';
import { adamUpdate, sgdUpdate } from '../tensor/ops/optimizer.ts';

export interface Optimizer {
  /** What it remembers, by name: `conv1.kernel.velocity`, or `conv1.kernel.firstMoment` and `….secondMoment`. */
  readonly moments: ReadonlyMap<string, tf.Variable>;
  /**
   * Updates every parameter once.
   * @param gradients in the order of the network's parameters
   * @param step 1 for the first update
   */
  update(gradients: readonly tf.Tensor[], at: { readonly learningRate: number; readonly step: number }): void;
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
    update: (gradients, at) => {
      updates.forEach((update, index) => update(gradients[index]!, at));
      for (const parameter of bounded) project(parameter);
    },
    dispose: () => tf.dispose([...moments.values()]),
  };
}

/** Back within its bounds, column by column: projected gradient descent. NaN stays. */
function project({ variable, bounds }: Parameter): void {
  if (!bounds) return;
  tf.tidy(() => {
    const [min, max] = [bounds.min, bounds.max].map((row) => tf.tensor2d([[...row]]));
    variable.assign(tf.minimum(tf.maximum(variable, min!), max!));
  });
}

type Update = (gradient: tf.Tensor, at: { readonly learningRate: number; readonly step: number }) => void;

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
      return (gradient, { learningRate }) =>
        sgdUpdate({ parameter: parameter.variable, gradient, velocity, learningRate, momentum, weightDecay });
    }
    case 'adam': {
      const { beta1, beta2, epsilon } = plan;
      const firstMoment = addMoment(parameter, 'firstMoment');
      const secondMoment = addMoment(parameter, 'secondMoment');
      return (gradient, { learningRate, step }) =>
        adamUpdate({
          ...{ parameter: parameter.variable, gradient, firstMoment, secondMoment },
          ...{ step, learningRate, beta1, beta2, epsilon, weightDecay },
        });
    }
    default:
      return plan satisfies never;
  }
}
