// The functions that one whose coefficients are trained may start as.

export const startTargets = {
  tanh: { description: 'Hyperbolic tangent.', at: Math.tanh },
  relu: { description: 'ReLU.', at: (x: number) => Math.max(0, x) },
  'leaky-relu': { description: 'Leaky ReLU of slope 0.01.', at: (x: number) => (x > 0 ? x : 0.01 * x) },
  elu: { description: 'ELU.', at: (x: number) => (x > 0 ? x : Math.expm1(x)) },
  swish: { description: 'Swish.', at: (x: number) => x / (1 + Math.exp(-x)) },
  identity: { description: 'The identity.', at: (x: number) => x },
} as const satisfies Readonly<Record<string, { readonly description: string; readonly at: (x: number) => number }>>;

export type StartTarget = keyof typeof startTargets;

export const startTargetNames = Object.keys(startTargets) as [StartTarget, ...StartTarget[]];
