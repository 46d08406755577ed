// What the kernels of the runtime `wasm` take beside tensors while a layer has its turn: bounds by the layer's shape, a little above
// what server/tensor/wasm/kernels asks for. test/trainer/planMemory.test.ts compares them with what is taken.
import { isKaf, type ActivationPlan } from '../protocol/plan.ts';
import { kafGrid } from '../tensor/wasm/kernels/kafGrid.ts';
import type { ConvolutionLayout, LayerLayout } from './layout.ts';

export interface ScratchOptions {
  readonly activation: ActivationPlan;
  readonly batchSize: number;
  readonly gradients: 'all' | 'input';
  readonly threads: number;
}

/** Sums over a batch are made in so many parts at most, in float64 except those of filters. */
const mostParts = 16;
const mostFilterParts = 8;

/** At most so many float32 values. */
export function scratchFloats(layer: LayerLayout, options: ScratchOptions): number {
  switch (layer.type) {
    case 'convolution':
      return convolutionFloats(layer, options);
    case 'dense':
      return roundUp(layer.units) * (roundUp(layer.inputs) + options.batchSize);
    case 'batch-norm':
      return (4 * mostParts + 5) * roundUp(layer.shape[2]);
    case 'activation':
      return activationFloats(roundUp(layer.shape.at(-1)!), options);
    default:
      return 0;
  }
}

/** Filters and their gradients in Winograd's transformed domain, 36 values for 9, and a block of tiles a thread. */
function convolutionFloats({ input, output, stride }: ConvolutionLayout, options: ScratchOptions): number {
  const [height, width, inChannels] = input;
  const { batchSize, threads } = options;
  const nTiles = batchSize * Math.ceil(height / 4) * Math.ceil(width / 4);
  const isTransformed = stride === 1 && nTiles >= 8;
  const nParts =
    options.gradients === 'input'
      ? 1
      : Math.min(mostFilterParts, isTransformed ? Math.max(1, Math.floor(nTiles / 128)) : batchSize);
  const filters = (isTransformed ? 36 : 9) * nParts * (roundUp(inChannels) + 6) * roundUp(output[2]);
  const paddedImages = (height + 6) * (width + 6) * (roundUp(inChannels) + roundUp(output[2]));
  const biasSums = 3 * mostParts * roundUp(output[2]);
  return filters + biasSums + threads * ((isTransformed ? 235_000 : 0) + paddedImages);
}

/** Tables of the pieces of a KAF, or of coefficients, and sums of gradients: of a KAF's in groups of 16 channels. */
function activationFloats(channels: number, { activation, gradients, threads }: ScratchOptions): number {
  const isAll = gradients === 'all';
  const nCoefficients = isKaf(activation) ? activation.dictionary + 1 : 8;
  const grid =
    isKaf(activation) && activation.type !== 'kaf-free'
      ? kafGrid(activation.dictionary, activation.boundary, activation.gamma)
      : null;
  if (!grid) return (isAll ? 2 * mostParts + 2 : 2) * 2 * nCoefficients * channels;
  const nSums = Math.max(24, channels / 8) * nCoefficients + 4 * threads * grid.nEntries;
  return 4 * channels * grid.nEntries + 8 * grid.nPieces + (isAll ? 16 * nSums : 0);
}

function roundUp(channels: number): number {
  return Math.ceil(channels / 8) * 8;
}
