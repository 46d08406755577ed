// Registers our fused ops with tfjs: their kernels on the `cpu` backend, and their gradients. Nothing of ours happens on import.
//
// A runtime that replaces a kernel keeps its name, inputs, attributes and outputs. All tensors are float32 and
// contiguous unless said; C is the last axis. `key` is {seed, stream, counter} (random.ts says how words are laid out),
// the counter a number or what gives it when the kernel runs.
//
// | kernel                   | inputs                           | attributes                                            | outputs
// |--------------------------|----------------------------------|-------------------------------------------------------|--------
// | KafscopeFormula          | x                                | formula (../../formula)                               | y
// | KafscopeFormulaGrad      | dy, x                            | formula                                               | dx
// | KafscopeTrainedFormula   | x […, C], coefficients [C, P]    | formula, gradients                                    | y
// | KafscopeTrainedFormulaGrad | dy, x, coefficients            | formula, gradients all · input                        | dx, dcoefficients ([0] for input)
// | KafscopeKaf              | x […, C], alpha [C, D]           | boundary, gamma, base none · swish, gradients         | y
// | KafscopeKafGrad          | dy, x, alpha                     | boundary, gamma, base, gradients all · input          | dx, dalpha ([0] for input)
// | KafscopeKernelKaf        | x […, C], alpha [C, M·D]         | kernels (M), boundary, gamma, base, gradients         | y
// | KafscopeKernelKafGrad    | dy, x, alpha                     | the same                                              | dx, dalpha ([0] for input)
// | KafscopeKaf2d            | x […, 2C], alpha [C, D·D]        | boundary, gamma, gradients                            | y […, C]
// | KafscopeKaf2dGrad        | dy […, C], x, alpha              | boundary, gamma, gradients all · input                | dx, dalpha ([0] for input)
// | KafscopeFreeKaf          | x […, C], alpha [C, D],          | base none · swish, gradients                          | y
// |                          | dictionary [C, D], logGamma [C]  |                                                       |
// | KafscopeFreeKafGrad      | dy, and the same                 | base, gradients all · input                           | dx, dalpha, ddictionary, dlogGamma
// |                          |                                  |                                                       | (the last three [0] for input)
// | KafscopeSpline           | x […, C], points [C, Q]          | boundary, basis (spline.ts), gradients                | y
// | KafscopeSplineGrad       | dy, x, points                    | boundary, basis, gradients all · input                | dx, dpoints ([0] for input)
// | KafscopeMaxout           | x […, K·C]                       | maps (K)                                              | y […, C]
// | KafscopeMaxoutGrad       | dy […, C], x                     | maps                                                  | dx
// | KafscopeKWinners         | x [B, …]                         | count, nLanes (L, 1 or x's channels), isExact         | y, thresholds [B·L],
// |                          |                                  |                                                       | quotas int32 [B·L] (-1: all ties)
// | KafscopeKWinnersGrad     | dy, x, thresholds, quotas        | the same                                              | dx
// | KafscopeBatchNorm        | x […, C], gamma [C], beta [C]    | epsilon                                               | y, mean [C], variance [C]
// | KafscopeBatchNormGrad    | dy, x, gamma, mean, variance     | epsilon                                               | dx, dgamma [C], dbeta [C]
// | KafscopeBatchNormFormula | x […, C], gamma [C], beta [C]    | epsilon, formula (wasm alone has it)                  | y, mean, variance, scale, shift [C]
// | KafscopeBatchNormFormulaGrad | dy, x, gamma, mean, variance, scale, shift | epsilon, formula                        | dx, dgamma [C], dbeta [C]
// | KafscopeBatchNormKaf     | x, gamma, beta, alpha [C, D]     | epsilon, those of KafscopeKaf (wasm alone has it)     | y, mean, variance, scale, shift [C]
// | KafscopeBatchNormKafGrad | dy, x, gamma, mean, variance, scale, shift, alpha | the same                             | dx, dgamma, dbeta, dalpha ([0] for input)
// | KafscopeGroupNorm        | x [N, …, C], gamma [C], beta [C] | groups, epsilon                                       | y, mean [N, groups], variance
// | KafscopeGroupNormGrad    | dy, x, gamma, mean, variance     | groups, epsilon                                       | dx, dgamma [C], dbeta [C]
// | KafscopeScaleShift       | x […, C], scale [C], shift [C]   |                                                       | y
// | KafscopeCrossEntropy     | logits [B, K], labels int32 [B]  |                                                       | losses [B], probabilities [B, K]
// | KafscopeCrossEntropyGrad | dy [B], probabilities, labels    |                                                       | dlogits [B, K]
// | KafscopeDropout          | x (or dy)                        | rate, key                                             | y (or dx)
// | KafscopeUniform          |                                  | shape, low, high, key                                 | float32 of that shape
// | KafscopeNormal           |                                  | shape, mean, std, key                                 | float32 of that shape
// | KafscopeSgdUpdate        | parameter, gradient, velocity?,  | at (step.ts), momentum, weightDecay                   | none; parameter, velocity written
// |                          | halted? int32 [1]                |                                                       | unless halted is not 0
// | KafscopeAdamUpdate       | parameter, gradient, halted?,    | at, beta1, beta2, epsilon, weightDecay                | none; parameter, firstMoment,
// |                          | firstMoment, secondMoment        |                                                       | secondMoment written unless halted
// | KafscopeDecay            | parameter, halted?               | at, weightDecay                                       | none; parameter written unless halted
// | KafscopeMoveStatistic    | statistic [C], batch [C], halted? | at, maxMomentum, lag, scale                          | none; statistic written unless halted
// | KafscopeOverwrite        | target, source, halted?          |                                                       | none; target written unless halted
// | KafscopeHalt             | halted int32 [1], nonFinite [n]  | at                                                    | none; halted written
// | KafscopeClipFactors      | norms [n]                        | type global · layer, limit                            | factors [n]
// | KafscopeAttackStep       | x, clean, gradient               | stepSize, epsilon                                     | like x
// | KafscopeNorms            | an array of any number of x      |                                                       | norms [n], nonFinite int32 [n]
// | KafscopeHistogram        | x                                | low, high, nBins                                      | int32 [nBins + 3]
// | KafscopeCropAndFlip      | images [B, H, W, C]              | pad, flip, key                                        | like images
//
// At the edges: NaN in gives NaN out at that element; ±Inf gives the limit (swish(−Inf) = 0, its slope there 0 and 1
// at +Inf; a Gaussian kernel and its slope 0); the slope of relu at 0 is 0. An empty x gives empty outputs, and sums
// over nothing are 0. TensorFlow takes numbers below 1.2e-38 for 0.
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';

import { attackStepOps } from './attackStep.ts';
import { augmentOps } from './augment.ts';
import { batchNormOps } from './batchNorm.ts';
import type { OpDefinition } from './cpuKernel.ts';
import { crossEntropyOps } from './crossEntropy.ts';
import { dropoutOps } from './dropout.ts';
import { formulaOps } from './formula.ts';
import { freeKafOps } from './freeKaf.ts';
import { groupNormOps } from './groupNorm.ts';
import { histogramOps } from './histogram.ts';
import { kafOps } from './kaf.ts';
import { kaf2dOps } from './kaf2d.ts';
import { kernelKafOps } from './kernelKaf.ts';
import { kWinnersOps } from './kWinners.ts';
import { maxoutOps } from './maxout.ts';
import { normalizedFormulaOps } from './normalizedFormula.ts';
import { normalizedKafOps } from './normalizedKaf.ts';
import { normsOps } from './norms.ts';
import { optimizerOps } from './optimizer.ts';
import { randomOps } from './random.ts';
import { splineOps } from './spline.ts';
import { stepOps } from './step.ts';

const operations: readonly OpDefinition[] = [
  formulaOps,
  splineOps,
  maxoutOps,
  kafOps,
  kernelKafOps,
  kaf2dOps,
  freeKafOps,
  kWinnersOps,
  batchNormOps,
  normalizedFormulaOps,
  normalizedKafOps,
  groupNormOps,
  crossEntropyOps,
  dropoutOps,
  randomOps,
  stepOps,
  optimizerOps,
  attackStepOps,
  normsOps,
  histogramOps,
  augmentOps,
];

/**
 * Registers every op; a second call does nothing. A backend that copies the cpu kernels does so after this.
 * @throws Error where tfjs's cpu backend, which registers itself on import, was bundled away or is there twice.
 */
export function registerOps(): void {
  if (!(tf.findBackend('cpu') instanceof MathBackendCPU)) throw new Error('the cpu backend of tfjs is missing');
  if (tf.getKernelsForBackend('cpu').some((kernel) => kernel.kernelName === 'KafscopeKaf')) return;
  for (const { kernels, gradients } of operations) {
    for (const kernel of kernels) tf.registerKernel({ ...kernel, backendName: 'cpu' });
    for (const gradient of gradients) tf.registerGradient(gradient);
  }
}
