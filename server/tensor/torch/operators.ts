// The operators of PyTorch that kernels call, by our name for each. PyTorch's dispatcher takes no scalars, so those that want one are not
// here: constants are tensors of rank 0.

/** Name and overload as PyTorch has them, the parameters as binding/operations.h says, and how many tensors come of it. */
type Operator = readonly [name: string, overload: string, signature: string, nResults: number];

const unary = [
  ...['abs', 'acos', 'acosh', 'asin', 'asinh', 'atan', 'atanh', 'ceil', 'cos', 'cosh', 'erf', 'erfc', 'exp', 'expm1'],
  ...['floor', 'isfinite', 'isinf', 'isnan', 'log', 'log1p', 'logical_not', 'neg', 'reciprocal', 'relu', 'round'],
  ...['rsqrt', 'sigmoid', 'sign', 'sin', 'sinh', 'sqrt', 'tan', 'tanh'],
] as const;

/** Of two tensors, which broadcast. */
const binary = [...['atan2', 'logical_and', 'logical_or', 'matmul', 'maximum', 'minimum']] as const;

const binaryTensor = ['div', 'eq', 'ge', 'gt', 'le', 'lt', 'mul', 'ne'] as const;

type UnaryName = (typeof unary)[number];
type BinaryName = (typeof binary)[number] | (typeof binaryTensor)[number];

function named<Name extends string>(
  names: readonly Name[],
  operator: (name: Name) => Operator,
): Record<Name, Operator> {
  return Object.fromEntries(names.map((name) => [name, operator(name)])) as Record<Name, Operator>;
}

const others = {
  amax: ['aten::amax', '', 'tIb', 1],
  amin: ['aten::amin', '', 'tIb', 1],
  argmax: ['aten::argmax', '', 't?ib', 1],
  argmin: ['aten::argmin', '', 't?ib', 1],
  avgPool: ['aten::avg_pool2d', '', 'tIIIbb_', 1],
  avgPoolBackward: ['aten::avg_pool2d_backward', '', 'ttIIIbb_', 1],
  batchNorm: ['aten::native_batch_norm', '', 't?t?t?t?tbff', 3],
  batchNormBackward: ['aten::native_batch_norm_backward', '', 'tt?t?t?t?t?tbfB', 3],
  broadcast: ['aten::expand', '', 'tIb', 1],
  cat: ['aten::cat', '', 'Li', 1],
  clamp: ['aten::clamp', 'Tensor', 't?t?t', 1],
  contiguous: ['aten::clone', '', 't?m', 1],
  convolution: ['aten::convolution', '', 'tt_IIIbIi', 1],
  convolutionBackward: ['aten::convolution_backward', '', 'ttt_IIIbIiB', 3],
  copyInto: ['aten::copy_', '', 'ttb', 1],
  cumsum: ['aten::cumsum', '', 'ti?d', 1],
  expInto: ['aten::exp_', '', 't', 1],
  flip: ['aten::flip', '', 'tI', 1],
  indexSelect: ['aten::index_select', '', 'tit', 1],
  logSoftmax: ['aten::_log_softmax', '', 'tib', 1],
  maxPool: ['aten::max_pool2d_with_indices', '', 'tIIIIb', 2],
  maxPoolBackward: ['aten::max_pool2d_with_indices_backward', '', 'ttIIIIbt', 1],
  mean: ['aten::mean', 'dim', 't?Ib_', 1],
  mulInto: ['aten::mul_', 'Tensor', 'tt', 1],
  negInto: ['aten::neg_', '', 't', 1],
  permute: ['aten::permute', '', 'tI', 1],
  pow: ['aten::pow', 'Tensor_Tensor', 'tt', 1],
  prod: ['aten::prod', 'dim_int', 'tib?d', 1],
  repeat: ['aten::repeat', '', 'tI', 1],
  scatterAdd: ['aten::scatter_add', '', 'titt', 1],
  slice: ['aten::slice', 'Tensor', 'ti?i?ii', 1],
  softmax: ['aten::_softmax', '', 'tib', 1],
  sort: ['aten::sort', 'stable', 't?bib', 2],
  stack: ['aten::stack', '', 'Li', 1],
  sum: ['aten::sum', 'dim_IntList', 't?Ib?d', 1],
  toType: ['aten::_to_copy', '', 't?d___b_', 1],
  where: ['aten::where', 'self', 'ttt', 1],
} as const satisfies Record<string, Operator>;

export const operators: Record<OperatorName, Operator> = {
  ...named<UnaryName>(unary, (name) => [`aten::${name}`, '', 't', 1]),
  ...named<(typeof binary)[number]>(binary, (name) => [`aten::${name}`, '', 'tt', 1]),
  ...named<(typeof binaryTensor)[number]>(binaryTensor, (name) => [`aten::${name}`, 'Tensor', 'tt', 1]),
  ...others,
};

export type OperatorName = UnaryName | BinaryName | keyof typeof others;
