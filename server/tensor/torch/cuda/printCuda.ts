// Formulas as CUDA C: the algebra that prints statements, and what all sources begin with. A source holds no address of its data and no
// barrier: a thread computes from what it is given alone, so that the same text compiled by a C++ compiler has the same arithmetic.
import { evaluateNodes, type Algebra, type Node } from '../../../formula/expression.ts';

/** Functions that CUDA has not, or not for NaN as every runtime treats it. */
export const prelude = `
__device__ inline float minimum(float u, float v) { return u != u ? u : v != v ? v : u < v ? u : v; }
__device__ inline float maximum(float u, float v) { return u != u ? u : v != v ? v : u > v ? u : v; }
__device__ inline float signOf(float u) { return u != u ? u : (float)((u > 0.0f) - (u < 0.0f)); }
__device__ inline float sigmoid(float u) { return 1.0f / (1.0f + expf(-u)); }
__device__ inline float softplus(float u) { return maximum(u, 0.0f) + log1pf(expf(-fabsf(u))); }
__device__ inline float power(float u, float v) { return v != v ? v : powf(u, v); }
__device__ inline float product(float u, float v) { return u == 0.0f || v == 0.0f ? 0.0f : u * v; }
/* dy times the slope; nothing passes where the slope is 0, not even an infinity. */
__device__ inline float passing(float dy, float slope) { return slope == 0.0f ? 0.0f : dy * slope; }
`;

/**
 * Statements that compute each output, and the names of these.
 * @param variables what stands for a variable's name
 * @param prefix of the names that are made
 */
export function printNodes(
  outputs: readonly Node[],
  variables: Readonly<Record<string, string>>,
  prefix: string,
): { statements: string; names: readonly string[] } {
  const lines: string[] = [];
  const names = evaluateNodes(outputs, variables, algebraInto(lines, prefix));
  return { statements: lines.join('\n'), names };
}

/** A float32 literal. */
export function literal(value: number): string {
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded)) throw new Error(`${value} is no float32 literal`);
  const text = Object.is(rounded, -0) ? '-0' : String(rounded);
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}

function algebraInto(lines: string[], prefix: string): Algebra<string> {
  const make = (type: 'float' | 'bool', text: string): string => {
    const name = `${prefix}${lines.length}`;
    lines.push(`const ${type} ${name} = ${text};`);
    return name;
  };
  const applied = (name: string) => (u?: string, v?: string) =>
    make('float', v === undefined ? `${name}(${u!})` : `${name}(${u!}, ${v})`);
  const between = (sign: string) => (u?: string, v?: string) => make('float', `${u!} ${sign} ${v!}`);
  const asked = (sign: string) => (u?: string, v?: string) => make('bool', `${u!} ${sign} ${v!}`);
  return {
    constant: literal,
    operations: {
      ...{ neg: (u) => make('float', `-${u!}`), abs: applied('fabsf'), sign: applied('signOf') },
      ...{ exp: applied('expf'), expm1: applied('expm1f'), log: applied('logf'), log1p: applied('log1pf') },
      ...{ sqrt: applied('sqrtf'), sin: applied('sinf'), cos: applied('cosf'), tanh: applied('tanhf') },
      ...{ sigmoid: applied('sigmoid'), softplus: applied('softplus'), erf: applied('erff'), erfc: applied('erfcf') },
      ...{ add: between('+'), sub: between('-'), mul: between('*'), div: between('/'), product: applied('product') },
      ...{ min: applied('minimum'), max: applied('maximum'), pow: applied('power') },
      ...{ lt: asked('<'), le: asked('<='), eq: asked('=='), and: asked('&&'), or: asked('||') },
      not: (u) => make('bool', `!${u!}`),
      where: (condition, u, v) => make('float', `${condition!} ? ${u!} : ${v!}`),
    },
  };
}
