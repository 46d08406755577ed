// What the kernels of the runtime `wasm` take beside tensors while a layer has its turn: bounds by the layer's shape, a little above
// what server/tensor/wasm/kernels asks for. test/model/kernelScratch.test.ts compares them with what is taken.
import { activationFunction, isFormulaActivation } from '../formula/activationFunction.ts';
import { isKaf, type KafPlan } from '../protocol/plan.ts';
import { freeGrid, kafGrid, mostEntries, rowsPerEntry } from '../tensor/wasm/kernels/kafGrid.ts';
import { tilesPerBlock } from '../tensor/wasm/kernels/winograd.ts';
import type { ActivationLayout, ConvolutionLayout, LayerLayout } from '../network/layout.ts';
import { kaf2dFloats, kernelKafFloats, mostGradientParts } from './kafScratch.ts';

export interface ScratchOptions {
  readonly batchSize: number;
  readonly gradients: 'all' | 'input';
  readonly threads: number;
}

/** Sums over a batch are made in so many parts at most, in float64 except those of filters. */
const mostParts = 16;
const mostFilterParts = 8;
/** In the code of a formula. */
const mostConstants = 256;

/** At most so many float32 values. */
export function scratchFloats(layer: LayerLayout, options: ScratchOptions): number {
  switch (layer.type) {
    case 'convolution':
      return convolutionFloats(layer, options);
    case 'dense':
      return roundUp(layer.output[0]!) * (roundUp(layer.input[0]!) + options.batchSize);
    case 'batch-norm':
      return (4 * mostParts + 5) * roundUp(layer.output.at(-1)!);
    case 'layer-norm':
    case 'group-norm':
      return 8 * options.batchSize * roundUp(layer.output.at(-1)!);
    case 'activation':
      return activationFloats(layer, options);
    default:
      return 0;
  }
}

/** Filters and their gradients in Winograd's transformed domain, 36 values for 9 or 64 for 25, and a block of tiles a thread. */
function convolutionFloats({ input, output, size, stride }: ConvolutionLayout, options: ScratchOptions): number {
  const [height, width, inChannels] = input as [number, number, number];
  const { batchSize, threads } = options;
  const nTiles = batchSize * Math.ceil(height / 4) * Math.ceil(width / 4);
  const isTransformed = (size === 3 || size === 5) && stride === 1 && nTiles >= 8;
  const nParts =
    options.gradients === 'input'
      ? 1
      : Math.min(mostFilterParts, isTransformed ? Math.max(1, Math.floor(nTiles / 128)) : batchSize);
  const nPoints = isTransformed ? (size + 3) ** 2 : size ** 2;
  const filters = nPoints * nParts * (roundUp(inChannels) + 6) * roundUp(output[2]!);
  const paddedImages = (height + 6) * (width + 6) * (roundUp(inChannels) + roundUp(output[2]!));
  const biasSums = 3 * mostParts * roundUp(output[2]!);
  const pass = options.gradients === 'input' ? 'correlation' : 'filterGradient';
  const channels = { size, inChannels, outChannels: output[2]! };
  const blockFloats = tilesPerBlock(pass, channels) * nPoints * (roundUp(inChannels) + roundUp(output[2]!));
  return filters + biasSums + threads * ((isTransformed ? 10_000 + blockFloats : 0) + paddedImages);
}

/** Tables of cubics, or of coefficients, and sums of gradients: those of KAFs by cubics in groups of 16 channels. */
function activationFloats(
  { activation, output: shape }: ActivationLayout,
  { batchSize, gradients, threads }: ScratchOptions,
): number {
  const channels = roundUp(shape.at(-1)!);
  const isAll = gradients === 'all';
  if (activation.type === 'spline') return (isAll ? 2 * mostParts + 1 : 1) * 4 * (activation.points - 3) * channels;
  if (isFormulaActivation(activation)) {
    const tableFloats = activationFunction(activation).parameters.length * channels;
    return mostConstants + (isAll ? 2 * mostParts + 1 : 1) * tableFloats;
  }
  if (activation.type === 'kaf-2d') return kaf2dFloats(activation, { channels, gradients, threads });
  const nCoefficients = isKaf(activation) ? activation.dictionary + 1 : 8;
  const direct = (isAll ? 2 * mostParts + 2 : 2) * 2 * nCoefficients * channels;
  if (!isKaf(activation)) return direct;
  if (activation.kernels) return direct + kernelKafFloats(activation, activation.kernels, { channels, gradients });
  if (activation.type === 'kaf-free') {
    const nRows = batchSize * shape.slice(0, -1).reduce((product, length) => product * length, 1);
    const nEntries = learnedEntries(activation);
    if (nRows < rowsPerEntry * nEntries) return direct + threads * (8 * activation.dictionary + 36);
    const moments = isAll ? 16 * 4 * mostGradientParts(channels) : 0;
    return direct + (4 * 4 * channels + moments) * nEntries;
  }
  const grid = kafGrid(activation.dictionary, activation.boundary, activation.gamma);
  if (!grid) return direct;
  const nSums = Math.max(24, channels / 8) * nCoefficients + 4 * threads * grid.nEntries;
  return 4 * channels * grid.nEntries + 8 * grid.nPieces + (isAll ? 16 * nSums : 0);
}

/** Of the grid of a free KAF that has moved its elements and bandwidths a little since it started. */
function learnedEntries({ boundary, gamma }: KafPlan): number {
  const grid = freeGrid(Float32Array.of(boundary), Float64Array.of(gamma));
  return grid ? Math.min(mostEntries, Math.ceil(1.2 * grid.nEntries)) : mostEntries;
}

function roundUp(channels: number): number {
  return Math.ceil(channels / 8) * 8;
}
