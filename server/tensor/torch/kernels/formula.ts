// KafscopeFormula and its gradients as one composition of PyTorch's operators.
import type * as tf from '@tensorflow/tfjs-core';
import { evaluateNodes, type Algebra, type Node } from '../../../formula/expression.ts';
import type { FormulaAttributes } from '../../ops/formula.ts';
import type { Handle, Torch } from '../torch.ts';
import { columnsOf, columnSums } from './kaf.ts';
import { filled, floats, onlyFloats, torchKernel, type Of, type TorchKernel } from './torchKernel.ts';

interface Inputs {
  readonly x: tf.TensorInfo;
  readonly coefficients?: tf.TensorInfo;
}

type GradInputs = Inputs & { readonly dy: tf.TensorInfo };

export const formulaKernels: readonly TorchKernel[] = [
  ...(['KafscopeFormula', 'KafscopeTrainedFormula'] as const).map((name) =>
    torchKernel<Inputs, FormulaAttributes>(name, filled(onlyFloats), (torch, of, inputs, { formula }) => {
      const [y] = evaluate(torch, of, [formula.value], inputs, formula.text.parameters);
      return floats(y!);
    }),
  ),
  torchKernel<GradInputs, FormulaAttributes>(
    'KafscopeFormulaGrad',
    filled(onlyFloats),
    (torch, of, { dy, ...inputs }, { formula }) => {
      const [slope] = evaluate(torch, of, [formula.slope], inputs, []);
      return floats(passing(torch, of(dy), slope!));
    },
  ),
  torchKernel<GradInputs, FormulaAttributes>(
    'KafscopeTrainedFormulaGrad',
    filled(onlyFloats),
    (torch, of, { dy, ...inputs }, { formula, gradients }) => {
      const outputs = gradients === 'all' ? [formula.slope, ...formula.partials] : [formula.slope];
      const [slope, ...partials] = evaluate(torch, of, outputs, inputs, formula.text.parameters);
      const dx = floats(passing(torch, of(dy), slope!));
      if (gradients === 'input') return [dx, floats(torch.empty([0]))];
      const rows = rowsOf(inputs.x, inputs.coefficients!.shape[0]!);
      const sums = partials.map((partial) => {
        const terms = passing(torch, of(dy), partial);
        return columnSums(torch, torch.view(terms, rows));
      });
      return [dx, floats(torch.call('stack', sums, 1))];
    },
  ),
];

function rowsOf({ shape }: tf.TensorInfo, nChannels: number): [number, number] {
  return [shape.reduce((product, length) => product * length, 1) / nChannels, nChannels];
}

/** dy·slope; nothing passes where the slope is 0, not even an infinity. */
function passing(torch: Torch, dy: Handle, slope: Handle): Handle {
  const zero = torch.constant(0);
  return torch.call('where', torch.call('eq', slope, zero), zero, torch.call('mul', dy, slope));
}

/** Each output like x, whatever it depends on. */
function evaluate(
  torch: Torch,
  of: Of,
  outputs: readonly Node[],
  { x, coefficients }: Inputs,
  names: readonly string[],
): Handle[] {
  const columns = coefficients ? columnsOf(torch, of(coefficients), coefficients) : [];
  const variables = Object.fromEntries(names.map((name, p) => [name, columns[p]!]));
  const results = evaluateNodes(outputs, { ...variables, x: of(x) }, algebraOf(torch));
  return results.map((result) => {
    // A constant, a condition, or a function of a channel alone has another shape or type.
    const isLike = String(torch.shape(result)) === String(x.shape);
    return isLike ? torch.contiguous(result) : torch.add(torch.full(x.shape, 0), torch.cast(result, 'float32'));
  });
}

function algebraOf(torch: Torch): Algebra<Handle> {
  const zero = torch.constant(0);
  const call: Torch['call'] = (operator, ...values) => torch.call(operator, ...values);
  return {
    constant: (value) => torch.constant(value),
    operations: {
      neg: (u) => call('neg', u!),
      abs: (u) => call('abs', u!),
      sign: (u) => call('where', call('isnan', u!), u!, call('sign', u!)),
      exp: (u) => call('exp', u!),
      expm1: (u) => call('expm1', u!),
      log: (u) => call('log', u!),
      log1p: (u) => call('log1p', u!),
      sqrt: (u) => call('sqrt', u!),
      sin: (u) => call('sin', u!),
      cos: (u) => call('cos', u!),
      tanh: (u) => call('tanh', u!),
      sigmoid: (u) => call('sigmoid', u!),
      softplus: (u) => torch.add(call('maximum', u!, zero), call('log1p', call('exp', call('neg', call('abs', u!))))),
      erf: (u) => call('erf', u!),
      erfc: (u) => call('erfc', u!),
      add: (u, v) => torch.add(u!, v!),
      sub: (u, v) => torch.sub(u!, v!),
      mul: (u, v) => call('mul', u!, v!),
      product: (u, v) => {
        const isGone = call('logical_or', call('eq', u!, zero), call('eq', v!, zero));
        return call('where', isGone, zero, call('mul', u!, v!));
      },
      div: (u, v) => call('div', u!, v!),
      min: (u, v) => call('minimum', u!, v!),
      max: (u, v) => call('maximum', u!, v!),
      // PyTorch, as C, takes 1 to the power of NaN for 1.
      pow: (u, v) => call('where', call('isnan', v!), v!, call('pow', u!, v!)),
      lt: (u, v) => call('lt', u!, v!),
      le: (u, v) => call('le', u!, v!),
      eq: (u, v) => call('eq', u!, v!),
      and: (u, v) => call('logical_and', u!, v!),
      or: (u, v) => call('logical_or', u!, v!),
      not: (u) => call('logical_not', u!),
      where: (condition, u, v) => call('where', condition!, u!, v!),
    },
  };
}
