// What V8 makes of the kernels when it joins vectors: nothing here may depend on which kernel happens to be hot in other tests.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { activationFunction, usualActivation } from '../../../server/formula/activationFunction.ts';
import { activations, type ActivationName } from '../../../server/formula/activations.ts';
import { formulaOf } from '../../../server/formula/formula.ts';
import { compileFormula } from '../../../server/tensor/wasm/formula/compileFormula.ts';
import { canCompile } from '../../../server/tensor/wasm/joinVectors.ts';
import { kernelFiles, loadKernels } from '../../../server/tensor/wasm/loadKernels.ts';
import { guardBytes, MemoryPool } from '../../../server/tensor/wasm/memoryPool.ts';
import { readGolden } from '../../golden/readGolden.ts';
import { assetsFolder } from './builds.ts';

/** Against hanging alone, as vitest's own. */
const guardMs = 1_800_000;

describe.each(['relaxed', 'plain'] as const)('the kernels, %s SIMD', (build) => {
  // In the optimising compiler a shape of code that the joining can't handle is a fatal error of the whole process.
  it('are all compiled with joined vectors', () => {
    expect(canCompile([fs.readFileSync(path.join(assetsFolder, kernelFiles[build]))], guardMs)).toBe(true);
  });

  it('are joined as formulas: all with a name, at every size, and 500 random ones', () => {
    const sizes = [1, 2, 3, 8, 16];
    const plans = (Object.keys(activations) as ActivationName[]).flatMap((type) =>
      (['apl', 'polynomial'].includes(type) ? sizes : [1]).map(
        (size) => ({ ...usualActivation(type), hinges: size, degree: size }) as never,
      ),
    );
    const { cases } = readGolden<{ cases: readonly { formula: string; parameters: object }[] }>('formula');
    const formulas = [
      ...plans.map((plan) => activationFunction(plan).formula),
      ...cases.map(({ formula, parameters }) => formulaOf({ formula, parameters: Object.keys(parameters) })),
    ];
    const modules = formulas.map((formula) => compileFormula(formula, { build, width: 8 }).bytes);
    expect(canCompile(modules, guardMs)).toBe(true);
  });

  it('have their constants where the pool hands nothing out', () => {
    const pool = new MemoryPool();
    const { kernels } = loadKernels(assetsFolder, pool.memory, build);
    expect(kernels.constantsEnd()).toBeLessThanOrEqual(guardBytes);
    expect(pool.allocate(64)).toBeGreaterThanOrEqual(guardBytes);
  });
});

it('a process that does not live through compiling is seen', () => {
  expect(canCompile([new TextEncoder().encode('no kernels')])).toBe(false);
});
