// Element by element: functions of one tensor, of two that broadcast, comparisons, choices and casts.
import * as tf from '@tensorflow/tfjs-core';
import type { OperatorName } from '../operators.ts';
import type { Handle, Torch } from '../torch.ts';
import {
  anyNumbers,
  booleans,
  floats,
  floatsOrIntegers,
  like,
  onlyFloats,
  torchKernel,
  type TorchKernel,
} from './torchKernel.ts';

interface One {
  readonly x: tf.TensorInfo;
}

interface Two {
  readonly a: tf.TensorInfo;
  readonly b: tf.TensorInfo;
}

/** tfjs's name, and PyTorch's where that is another. */
const ofFloats = {
  ...{ Acos: 'acos', Acosh: 'acosh', Asin: 'asin', Asinh: 'asinh', Atan: 'atan', Atanh: 'atanh', Cos: 'cos' },
  ...{ Cosh: 'cosh', Erf: 'erf', Exp: 'exp', Expm1: 'expm1', Log: 'log', Log1p: 'log1p', Reciprocal: 'reciprocal' },
  ...{ Rsqrt: 'rsqrt', Sigmoid: 'sigmoid', Sin: 'sin', Sinh: 'sinh', Sqrt: 'sqrt', Tan: 'tan', Tanh: 'tanh' },
} satisfies Record<string, OperatorName>;

const ofNumbers = {
  ...{ Abs: 'abs', Ceil: 'ceil', Floor: 'floor', Neg: 'neg', Relu: 'relu', Round: 'round', Sign: 'sign' },
} satisfies Record<string, OperatorName>;

const questions = { IsFinite: 'isfinite', IsInf: 'isinf', IsNan: 'isnan' } satisfies Record<string, OperatorName>;

const comparisons = {
  ...{ Equal: 'eq', NotEqual: 'ne', Greater: 'gt', GreaterEqual: 'ge', Less: 'lt', LessEqual: 'le' },
} satisfies Record<string, OperatorName>;

const ofTwo = { Maximum: 'maximum', Minimum: 'minimum', Multiply: 'mul' } satisfies Record<string, OperatorName>;

const ofTwoFloats = { Atan2: 'atan2', RealDiv: 'div' } satisfies Record<string, OperatorName>;

const seluScale = 1.0507009873554805;
const seluAlpha = 1.6732632423543772;

/** Functions of floats that take more than one operator; `alpha` is an attribute. */
const composed: Readonly<Record<string, (torch: Torch, x: Handle, attributes: Attributes) => Handle>> = {
  Elu: (torch, x) => whereNegative(torch, x, torch.call('expm1', x), x),
  LeakyRelu: (torch, x, { alpha }) => whereNegative(torch, x, torch.scale(x, alpha), x),
  Relu6: (torch, x) => torch.call('clamp', x, torch.constant(0), torch.constant(6)),
  Selu: (torch, x) =>
    whereNegative(torch, x, torch.scale(torch.call('expm1', x), seluScale * seluAlpha), torch.scale(x, seluScale)),
  // log(1 + eˣ) where that is exact at both ends.
  Softplus: (torch, x) => {
    const tail = torch.call('log1p', torch.call('exp', torch.call('neg', torch.call('abs', x))));
    return torch.add(torch.call('maximum', x, torch.constant(0)), tail);
  },
  Square: (torch, x) => torch.call('mul', x, x),
  Step: (torch, x, { alpha }) => {
    const zero = torch.constant(0);
    const chosen = torch.call('where', torch.call('gt', x, zero), torch.constant(1), torch.constant(alpha));
    return torch.call('where', torch.call('isnan', x), x, chosen);
  },
  ClipByValue: (torch, x, { clipValueMin, clipValueMax }) =>
    torch.call('clamp', x, torch.constant(clipValueMin), torch.constant(clipValueMax)),
};

interface Attributes {
  readonly alpha: number;
  readonly clipValueMin: number;
  readonly clipValueMax: number;
}

export const elementwiseKernels: readonly TorchKernel[] = [
  ...Object.entries(ofFloats).map(([name, operator]) =>
    torchKernel<One>(name, onlyFloats, (torch, of, { x }) => floats(torch.call(operator, of(x)))),
  ),
  ...Object.entries(ofNumbers).map(([name, operator]) =>
    torchKernel<One>(name, onlyFloats, (torch, of, { x }) => floats(torch.call(operator, of(x)))),
  ),
  ...Object.entries(questions).map(([name, operator]) =>
    torchKernel<One>(name, anyNumbers, (torch, of, { x }) => booleans(torch.call(operator, of(x)))),
  ),
  ...Object.entries(comparisons).map(([name, operator]) =>
    torchKernel<Two>(name, anyNumbers, (torch, of, { a, b }) => booleans(torch.call(operator, of(a), of(b)))),
  ),
  ...Object.entries(ofTwo).map(([name, operator]) =>
    torchKernel<Two>(name, floatsOrIntegers, (torch, of, { a, b }) => like(a, torch.call(operator, of(a), of(b)))),
  ),
  ...Object.entries(ofTwoFloats).map(([name, operator]) =>
    torchKernel<Two>(name, onlyFloats, (torch, of, { a, b }) => floats(torch.call(operator, of(a), of(b)))),
  ),
  ...Object.entries(composed).map(([name, compose]) =>
    torchKernel<One, Attributes>(name, onlyFloats, (torch, of, { x }, attributes) =>
      floats(compose(torch, of(x), attributes)),
    ),
  ),
  torchKernel<Two>('Add', floatsOrIntegers, (torch, of, { a, b }) =>
    like(a, a.dtype === 'int32' ? addIntegers(torch, of(a), of(b)) : torch.add(of(a), of(b))),
  ),
  torchKernel<Two>('Sub', floatsOrIntegers, (torch, of, { a, b }) =>
    like(a, a.dtype === 'int32' ? addIntegers(torch, of(a), torch.call('neg', of(b))) : torch.sub(of(a), of(b))),
  ),
  torchKernel<Two>('SquaredDifference', onlyFloats, (torch, of, { a, b }) => {
    const difference = torch.sub(of(a), of(b));
    return floats(torch.call('mul', difference, difference));
  }),
  torchKernel<Two>('Pow', onlyFloats, (torch, of, { a, b }) => {
    const [base, exponent] = [of(a), of(b)];
    // PyTorch, as C, takes 1 to the power of NaN for 1.
    const power = torch.call('pow', base, exponent);
    return floats(torch.call('where', torch.call('isnan', exponent), exponent, power));
  }),
  torchKernel<readonly tf.TensorInfo[]>('AddN', onlyFloats, (torch, of, tensors) =>
    floats(tensors.map(of).reduce((sum, x) => torch.add(sum, x))),
  ),
  ...(['LogicalAnd', 'LogicalOr'] as const).map((name) =>
    torchKernel<Two>(name, anyNumbers, (torch, of, { a, b }) =>
      booleans(torch.call(name === 'LogicalAnd' ? 'logical_and' : 'logical_or', of(a), of(b))),
    ),
  ),
  torchKernel<One>('LogicalNot', anyNumbers, (torch, of, { x }) => booleans(torch.call('logical_not', of(x)))),
  torchKernel<{ x: tf.TensorInfo; alpha: tf.TensorInfo }>('Prelu', onlyFloats, (torch, of, { x, alpha }) =>
    floats(whereNegative(torch, of(x), torch.call('mul', of(x), of(alpha)), of(x))),
  ),
  torchKernel<{ dy: tf.TensorInfo; y: tf.TensorInfo }>('EluGrad', onlyFloats, (torch, of, { dy, y }) =>
    floats(whereNegative(torch, of(y), torch.call('mul', of(dy), torch.add(of(y), torch.constant(1))), of(dy))),
  ),
  torchKernel<{ condition: tf.TensorInfo; t: tf.TensorInfo; e: tf.TensorInfo }>(
    'Select',
    anyNumbers,
    (torch, of, { condition, t, e }) => {
      const isVector = condition.shape.length === 1 && t.shape.length > 1;
      const shape = [...condition.shape, ...t.shape.slice(1).map(() => 1)];
      const chosen = isVector ? torch.view(of(condition), shape) : of(condition);
      return like(t, torch.call('where', chosen, of(t), of(e)));
    },
  ),
  torchKernel<One, { dtype: tf.DataType }>(
    'Cast',
    (inputs, { dtype }) => anyNumbers(inputs, {}) && dtype !== 'string' && dtype !== 'complex64',
    (torch, of, { x }, { dtype }) => {
      const type = dtype as 'float32' | 'int32' | 'bool';
      return { handle: torch.cast(of(x), type), dtype: type };
    },
  ),
  torchKernel<object, { shape: number[]; value: number; dtype?: tf.DataType }>(
    'Fill',
    (_, { dtype, value }) =>
      typeof value === 'number' && (dtype === undefined || dtype === 'float32' || dtype === 'int32'),
    (torch, _of, _inputs, { shape, value, dtype = 'float32' }) => {
      const type = dtype as 'float32' | 'int32';
      return { handle: torch.full(shape, value, type), dtype: type };
    },
  ),
  ...(['ZerosLike', 'OnesLike'] as const).map((name) =>
    torchKernel<One>(name, anyNumbers, (torch, _of, { x }) =>
      like(x, torch.full(x.shape, name === 'OnesLike' ? 1 : 0, x.dtype as 'float32' | 'int32' | 'bool')),
    ),
  ),
];

/** NaN goes with what is not negative. */
function whereNegative(torch: Torch, x: Handle, negative: Handle, other: Handle): Handle {
  return torch.call('where', torch.call('lt', x, torch.constant(0)), negative, other);
}

/** int32, which PyTorch's subtract takes no factor for: the sum over a pair. */
function addIntegers(torch: Torch, a: Handle, b: Handle): Handle {
  const shape = tf.backend_util.assertAndGetBroadcastShape(torch.shape(a), torch.shape(b));
  const pair = [a, b].map((part) => torch.call('broadcast', part, shape, false));
  const stacked = torch.call('stack', pair, 0);
  return torch.call('sum', stacked, [0], false, torch.codes.int32);
}
