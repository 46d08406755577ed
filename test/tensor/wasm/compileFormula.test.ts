// A formula that V8's joining could not take is compiled one vector at a time, and gives the same bits.
import { expect, it } from 'vitest';
import { formulaOf } from '../../../server/formula/formula.ts';
import { compileFormula } from '../../../server/tensor/wasm/formula/compileFormula.ts';
import { linkModule } from '../../../server/tensor/wasm/loadKernels.ts';
import { scatter } from '../ops/contract.ts';

const at = { constants: 4096, x: 65_536, dy: 131_072, y: 196_608, dx: 262_144 };
const nElements = 1003;

/** Values and slopes of a formula of x alone. */
function compute(formula: string, width: 4 | 8, x = scatter(nElements, 6)): Float32Array {
  const memory = new WebAssembly.Memory({ initial: 8, maximum: 65_536, shared: true });
  const { bytes, constants } = compileFormula(formulaOf({ formula, parameters: [] }), { build: 'relaxed', width });
  const { values, slopes } = linkModule(new WebAssembly.Module(bytes), memory, ['values', 'slopes']);
  new Int32Array(memory.buffer, at.constants, constants.length).set(constants);
  new Float32Array(memory.buffer, at.x, nElements).set(x);
  new Float32Array(memory.buffer, at.dy, nElements).set(scatter(nElements, 1, 2));
  values!(at.constants, at.x, at.y, 0, nElements);
  slopes!(at.constants, at.dy, at.x, at.dx, 0, nElements);
  return Float32Array.from([
    ...new Float32Array(memory.buffer, at.y, nElements),
    ...new Float32Array(memory.buffer, at.dx, nElements),
  ]);
}

it.each(['x * sigmoid(x)', 'x * exp(-x^2)', 'sin(3000 * x) + erf(x)', 'where(x > 0, abs(x)^0.3, log1p(abs(x)))'])(
  '%s',
  (formula) => {
    const joined = compute(formula, 8);
    expect(joined.some((value) => value !== 0)).toBe(true);
    expect(compute(formula, 4)).toEqual(joined);
  },
);

it.each(['sin', 'cos'] as const)('%s of large angles is as exact as of small ones', (name) => {
  const x = scatter(nElements, 1).map((value, i) => value * 10 ** (i % 38));
  const values = compute(`${name}(x)`, 8, x);
  const off = Array.from(x, (angle, i) => Math.abs(values[i]! - Math[name](angle)));
  expect(Math.max(...off)).toBeLessThan(2e-7);
});
