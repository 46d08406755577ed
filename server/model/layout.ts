// What the networks of the thesis are made of, as data: layers in order with their shapes (without the batch), convolution →
// batch normalisation → activation for every activation; maxout's K linear maps are convolutions and dense layers K times as wide,
// each map normalised by itself. Tensors are in network.ts, the memory of a pass in passMemory.ts.
import { mapsOf, type ModelPlan } from '../protocol/plan.ts';

/** Height, width and channels of a feature map. */
export type MapShape = readonly [number, number, number];

export type LayerLayout =
  | ConvolutionLayout
  | { readonly type: 'batch-norm'; readonly name: string; readonly shape: MapShape }
  | ActivationLayout
  /** The `index`-th (0, 1, …) of the network. */
  | { readonly type: 'dropout'; readonly index: number; readonly shape: readonly number[] }
  | { readonly type: 'max-pool' | 'global-average-pool' | 'flatten'; readonly input: MapShape }
  | DenseLayout
  | ResidualLayout;

/** Padded to ⌈size/stride⌉. */
export interface ConvolutionLayout {
  readonly type: 'convolution';
  readonly name: string;
  readonly input: MapShape;
  readonly output: MapShape;
  readonly size: number;
  readonly stride: number;
  readonly initializer: 'he-uniform' | 'glorot-uniform';
  /** Whether its input is the images, whose gradient training doesn't need. */
  readonly isFirst: boolean;
}

/** Its parameters are those of the layer `<prefix><kind><number>`, for example `block2.kaf1`. */
export interface ActivationLayout {
  readonly type: 'activation';
  readonly prefix: string;
  readonly number: number;
  /** Of what it makes; maxout takes K times as many channels. */
  readonly shape: readonly number[];
}

export interface DenseLayout {
  readonly type: 'dense';
  readonly name: string;
  readonly inputs: number;
  readonly units: number;
  readonly initializer: 'glorot-uniform' | 'he-normal';
}

/** The sum of two ways from the same input; a skip without layers is the input itself. */
export interface ResidualLayout {
  readonly type: 'residual';
  readonly branch: readonly LayerLayout[];
  readonly skip: readonly LayerLayout[];
  readonly output: MapShape;
}

export interface NetworkEnds {
  readonly imageShape: MapShape;
  readonly nClasses: number;
}

/** @throws Error for maxout in a residual network, which no checked plan has. */
export function layOutNetwork(
  { network, activation }: Pick<ModelPlan, 'network' | 'activation'>,
  ends: NetworkEnds,
): LayerLayout[] {
  const maps = mapsOf(activation);
  if (network === 'light' || network === 'vgg') return layOutPlain(network, { ...ends, maps });
  if (maps > 1) throw new Error('maxout in a residual network');
  return layOutResidual(network.depth, ends);
}

/** Channels of the blocks; each is two convolutions, a pooling and a dropout. */
const plainBlocks = { light: [32, 64], vgg: [32, 64, 128] } as const;
const plainUnits = 128;

/** Sections 6.1 and 7.1. `maps` are those of maxout: what each activation takes is so many times as wide as what it makes. */
function layOutPlain(
  network: 'light' | 'vgg',
  { imageShape, nClasses, maps }: NetworkEnds & { readonly maps: number },
): LayerLayout[] {
  const layers: LayerLayout[] = [];
  let shape = imageShape;
  let number = 0;
  for (const [index, channels] of plainBlocks[network].entries()) {
    for (let repetition = 0; repetition < 2; repetition++) {
      number++;
      const layer = { name: `conv${number}`, initializer: 'he-uniform', isFirst: number === 1 } as const;
      const convolution = layOutConvolution(shape, { ...layer, channels: maps * channels, stride: 1 });
      const { output } = convolution;
      shape = [output[0], output[1], channels];
      layers.push(
        convolution,
        { type: 'batch-norm', name: `bn${number}`, shape: output },
        activation('', number, shape),
      );
    }
    layers.push({ type: 'max-pool', input: shape });
    shape = [Math.floor(shape[0] / 2), Math.floor(shape[1] / 2), channels];
    layers.push({ type: 'dropout', index, shape });
  }
  const inputs = network === 'light' ? shape[2] : shape[0] * shape[1] * shape[2];
  layers.push(
    { type: network === 'light' ? 'global-average-pool' : 'flatten', input: shape },
    { type: 'dense', name: 'dense1', inputs, units: maps * plainUnits, initializer: 'glorot-uniform' },
    activation('', number + 1, [plainUnits]),
    { type: 'dropout', index: plainBlocks[network].length, shape: [plainUnits] },
    { type: 'dense', name: 'dense2', inputs: plainUnits, units: nClasses, initializer: 'glorot-uniform' },
  );
  return layers;
}

const stageChannels = [16, 32, 64] as const;

/**
 * Section 7.2 and equation 7.1, as the author built it: depth 6n + 2 (He et al. 2016) with the stem at stride 1, batch
 * normalisation after the sum, and a 3×3 convolution on the skip where the shape changes.
 */
function layOutResidual(depth: number, { imageShape, nClasses }: NetworkEnds): LayerLayout[] {
  const blocksPerStage = (depth - 2) / 6;
  const stem = layOutConvolution(imageShape, {
    ...residualConvolution('conv1'),
    channels: 16,
    stride: 1,
    isFirst: true,
  });
  let shape = stem.output;
  const layers: LayerLayout[] = [stem, { type: 'batch-norm', name: 'bn1', shape }, activation('', 1, shape)];
  for (const [stage, channels] of stageChannels.entries()) {
    for (let index = 0; index < blocksPerStage; index++) {
      const name = `block${stage * blocksPerStage + index + 1}`;
      const block = layOutBlock(name, shape, { channels, stride: stage > 0 && index === 0 ? 2 : 1 });
      layers.push(...block.layers);
      shape = block.output;
    }
  }
  return [
    ...layers,
    { type: 'global-average-pool', input: shape },
    { type: 'dense', name: 'dense1', inputs: shape[2], units: nClasses, initializer: 'he-normal' },
  ];
}

function layOutBlock(
  name: string,
  input: MapShape,
  { channels, stride }: { channels: number; stride: number },
): { layers: LayerLayout[]; output: MapShape } {
  const first = layOutConvolution(input, { ...residualConvolution(`${name}.conv1`), channels, stride });
  const shape = first.output;
  const isSameShape = stride === 1 && channels === input[2];
  const sum: ResidualLayout = {
    type: 'residual',
    branch: [
      first,
      { type: 'batch-norm', name: `${name}.bn1`, shape },
      activation(`${name}.`, 1, shape),
      layOutConvolution(shape, { ...residualConvolution(`${name}.conv2`), channels, stride: 1 }),
    ],
    skip: isSameShape ? [] : [layOutConvolution(input, { ...residualConvolution(`${name}.skip`), channels, stride })],
    output: shape,
  };
  const after: LayerLayout[] = [{ type: 'batch-norm', name: `${name}.bn2`, shape }, activation(`${name}.`, 2, shape)];
  return { layers: [sum, ...after], output: shape };
}

function residualConvolution(name: string) {
  return { name, initializer: 'glorot-uniform', isFirst: false } as const;
}

function layOutConvolution(
  input: MapShape,
  {
    channels,
    stride,
    ...layer
  }: Pick<ConvolutionLayout, 'name' | 'stride' | 'initializer' | 'isFirst'> & { readonly channels: number },
): ConvolutionLayout {
  const output: MapShape = [Math.ceil(input[0] / stride), Math.ceil(input[1] / stride), channels];
  return { type: 'convolution', ...layer, input, output, size: 3, stride };
}

function activation(prefix: string, number: number, shape: readonly number[]): ActivationLayout {
  return { type: 'activation', prefix, number, shape };
}
