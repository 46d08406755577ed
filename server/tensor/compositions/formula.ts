// KafscopeFormula and its gradients, as one composition.
import * as tf from '@tensorflow/tfjs-core';
import { evaluateNodes, type Algebra, type Node } from '../../formula/expression.ts';
import type { FormulaAttributes } from '../ops/formula.ts';
import { asRows, composedKernel, type ComposedKernel } from './composition.ts';

interface Inputs {
  readonly x: tf.Tensor;
}

interface TrainedInputs extends Inputs {
  readonly coefficients: tf.Tensor2D;
}

export const formulaKernels: readonly ComposedKernel[] = [
  composedKernel<Inputs, FormulaAttributes>(
    'KafscopeFormula',
    ({ x }, { formula }) => evaluate([formula.value], x, null, [])[0]!,
  ),
  composedKernel<Inputs & { readonly dy: tf.Tensor }, FormulaAttributes>(
    'KafscopeFormulaGrad',
    ({ dy, x }, { formula }) => passing(dy, evaluate([formula.slope], x, null, [])[0]!),
  ),
  composedKernel<TrainedInputs, FormulaAttributes>(
    'KafscopeTrainedFormula',
    ({ x, coefficients }, { formula }) => evaluate([formula.value], x, coefficients, formula.text.parameters)[0]!,
  ),
  composedKernel<TrainedInputs & { readonly dy: tf.Tensor }, FormulaAttributes>(
    'KafscopeTrainedFormulaGrad',
    ({ dy, x, coefficients }, { formula, gradients }) => {
      const outputs = gradients === 'all' ? [formula.slope, ...formula.partials] : [formula.slope];
      const [slope, ...partials] = evaluate(outputs, x, coefficients, formula.text.parameters);
      const dx = passing(dy, slope!);
      if (gradients === 'input') return [dx, tf.zeros([0])];
      const nChannels = coefficients.shape[0];
      const sums = partials.map((partial) => tf.sum(asRows(passing(dy, partial), nChannels), 0));
      return [dx, tf.stack(sums, 1)];
    },
  ),
];

/** dy·slope; nothing passes where the slope is 0, not even an infinity. */
function passing(dy: tf.Tensor, slope: tf.Tensor): tf.Tensor {
  return tf.where(tf.equal(slope, 0), tf.zerosLike(dy), tf.mul(dy, slope));
}

/** Each output like x, whatever it depends on. */
export function evaluate(
  outputs: readonly Node[],
  x: tf.Tensor,
  coefficients: tf.Tensor2D | null,
  names: readonly string[],
): tf.Tensor[] {
  // TensorFlow's choice by a condition wants one shape of what is empty.
  if (x.size === 0) return outputs.map(() => tf.zerosLike(x));
  const columns = coefficients ? tf.unstack(coefficients, 1) : [];
  const variables = Object.fromEntries(names.map((name, p) => [name, columns[p]!]));
  const results = evaluateNodes(outputs, { ...variables, x }, algebra);
  return results.map((result) => (result === x || result.size !== x.size ? tf.add(tf.zerosLike(x), result) : result));
}

const algebra: Algebra<tf.Tensor> = {
  constant: (value) => tf.scalar(value),
  operations: {
    neg: (u) => tf.neg(u!),
    abs: (u) => tf.abs(u!),
    sign: (u) => tf.where(tf.isNaN(u!), u!, tf.sign(u!)),
    exp: (u) => tf.exp(u!),
    expm1: (u) => tf.expm1(u!),
    log: (u) => tf.log(u!),
    log1p: (u) => tf.log1p(u!),
    sqrt: (u) => tf.sqrt(u!),
    sin: (u) => tf.sin(u!),
    cos: (u) => tf.cos(u!),
    tanh: (u) => tf.tanh(u!),
    sigmoid: (u) => tf.sigmoid(u!),
    // tfjs-node's own stops below −14.
    softplus: (u) => tf.add(tf.maximum(u!, 0), tf.log1p(tf.exp(tf.neg(tf.abs(u!))))),
    erf: (u) => tf.erf(u!),
    erfc: (u) => complementaryErrorFunction(u!),
    add: (u, v) => tf.add(u!, v!),
    sub: (u, v) => tf.sub(u!, v!),
    mul: (u, v) => tf.mul(u!, v!),
    product: (u, v) => {
      const product = tf.mul(u!, v!);
      const isGone = tf.logicalOr(tf.equal(u!, 0), tf.equal(v!, 0));
      return tf.where(isGone, tf.zerosLike(product), product);
    },
    div: (u, v) => tf.div(u!, v!),
    min: (u, v) => tf.minimum(u!, v!),
    max: (u, v) => tf.maximum(u!, v!),
    pow: (u, v) => tf.pow(u!, v!),
    lt: (u, v) => tf.less(u!, v!),
    le: (u, v) => tf.lessEqual(u!, v!),
    eq: (u, v) => tf.equal(u!, v!),
    and: (u, v) => tf.logicalAnd(u!, v!),
    or: (u, v) => tf.logicalOr(u!, v!),
    not: (u) => tf.logicalNot(u!),
    where: (condition, u, v) => tf.where(condition!, u!, v!),
  },
};

/** By the fit of Press et al. (Numerical Recipes in C, 2nd ed., §6.2), as on the other runtimes; tfjs has no erfc. */
function complementaryErrorFunction(u: tf.Tensor): tf.Tensor {
  const size = tf.abs(u);
  const t = tf.div(1, tf.add(1, tf.mul(size, 0.5)));
  const fit = tailCoefficients.reduceRight<tf.Tensor>(
    (sum, coefficient) => tf.add(tf.mul(sum, t), coefficient),
    tf.zerosLike(t),
  );
  const tail = tf.mul(t, tf.exp(tf.sub(fit, tf.square(size))));
  return tf.where(tf.less(u, 0), tf.sub(2, tail), tail);
}

const tailCoefficients = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
  0.17087277,
];
