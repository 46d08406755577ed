// Every op of ours as a composition of tfjs's operations: what a backend that is a library's has at once.
import { batchNormKernels } from './batchNorm.ts';
import type { ComposedKernel } from './composition.ts';
import { crossEntropyKernels } from './crossEntropy.ts';
import { formulaKernels } from './formula.ts';
import { freeKafKernels } from './freeKaf.ts';
import { groupNormKernels } from './groupNorm.ts';
import { kaf2dKernels } from './kaf2d.ts';
import { kafKernels } from './kaf.ts';
import { kernelKafKernels } from './kernelKaf.ts';
import { maxoutKernels } from './maxout.ts';
import { randomKernels } from './random.ts';
import { rankingKernels } from './ranking.ts';
import { splineKernels } from './spline.ts';
import { trainingKernels } from './training.ts';

export const composedKernels: readonly ComposedKernel[] = [
  ...formulaKernels,
  ...splineKernels,
  ...maxoutKernels,
  ...kafKernels,
  ...kernelKafKernels,
  ...kaf2dKernels,
  ...freeKafKernels,
  ...batchNormKernels,
  ...groupNormKernels,
  ...crossEntropyKernels,
  ...randomKernels,
  ...trainingKernels,
  ...rankingKernels,
];
