// The distributions that kernels may be drawn from before training: what an experiment file says of them, and what the network
// draws, are made from this table. A new one is an entry here.

interface InitializerEntry {
  readonly description: string;
  readonly equation: string;
  readonly shape: 'uniform' | 'normal';
  /** The variance is `of` over the fan-in, or over the sum of fan-in and fan-out. */
  readonly of: number;
  readonly over: 'fanIn' | 'sum';
  /** Whether biases are drawn uniformly on ±1/√fanIn too; they are 0 otherwise. */
  readonly drawsBiases?: true;
}

export const initializers = {
  'he-uniform': {
    ...{ description: 'He et al., 2015.', equation: 'U(±√(6/fanIn))' },
    ...{ shape: 'uniform', of: 2, over: 'fanIn' },
  },
  'he-normal': {
    ...{ description: 'He et al., 2015.', equation: 'N(0, 2/fanIn)' },
    ...{ shape: 'normal', of: 2, over: 'fanIn' },
  },
  'glorot-uniform': {
    ...{ description: 'Glorot & Bengio, 2010.', equation: 'U(±√(6/(fanIn + fanOut)))' },
    ...{ shape: 'uniform', of: 2, over: 'sum' },
  },
  'glorot-normal': {
    ...{ description: 'Glorot & Bengio, 2010.', equation: 'N(0, 2/(fanIn + fanOut))' },
    ...{ shape: 'normal', of: 2, over: 'sum' },
  },
  'lecun-uniform': {
    ...{ description: 'LeCun et al., 1998.', equation: 'U(±√(3/fanIn))' },
    ...{ shape: 'uniform', of: 1, over: 'fanIn' },
  },
  'lecun-normal': {
    ...{ description: 'LeCun et al., 1998.', equation: 'N(0, 1/fanIn)' },
    ...{ shape: 'normal', of: 1, over: 'fanIn' },
  },
  pytorch: {
    description: "PyTorch's own of convolutions and dense layers, of biases as well.",
    equation: 'U(±1/√fanIn)',
    ...{ shape: 'uniform', of: 1 / 3, over: 'fanIn', drawsBiases: true },
  },
} as const satisfies Readonly<Record<string, InitializerEntry>>;

export type KernelInitializer = keyof typeof initializers;
export const initializerNames = Object.keys(initializers) as KernelInitializer[];

export function initializerEntry(name: KernelInitializer): InitializerEntry {
  return initializers[name];
}
