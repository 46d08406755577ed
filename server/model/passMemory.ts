// The memory of a pass forward and back through a network, counted without making a tensor: what lives when, by the layers' shapes.
// What a whole training step or an evaluation holds besides is in server/trainer/planMemory.ts.
import { activationFunction, isFormulaActivation } from '../formula/activationFunction.ts';
import { floatsOf, parametersOf, statisticsOf } from '../network/costs.ts';
import { flatLayers, layOutNetwork, type LayerLayout, type NetworkEnds, type PoolLayout } from '../network/layout.ts';
import type { ModelPlan } from '../protocol/plan.ts';
import { kafGrid } from '../tensor/wasm/kernels/kafGrid.ts';
import { scratchFloats } from './kernelScratch.ts';

export interface PassMemory {
  /** Weights, and running statistics. */
  readonly parameters: number;
  readonly statistics: number;
  /** Of the largest kernel of each kind. */
  readonly largestKernel: Readonly<Record<'dense' | 'convolution', number>>;
  /** The most at any time of a pass, its images and the gradients that it gives included. */
  peak(pass: Pass): number;
}

interface Pass {
  readonly batchSize: number;
  readonly mode: 'training' | 'inference';
  readonly gradients: 'all' | 'input';
  /** Of the runtime; each has scratch of its own. */
  readonly threads: number;
}

/**
 * All figures are numbers of float32 values. Forward, every layer's output stays until the pass is done (tfjs's tidy); on the way
 * back there are the layers' saved inputs (of maximum pooling the output, too) and the gradients on their way, each freed when its
 * layer is done (releaseTape.ts). Tensors of one value a channel are left out.
 */
export function measurePass(plan: ModelPlan, ends: NetworkEnds): PassMemory {
  const layers = layOutNetwork(plan, ends);
  const imageFloats = floatsOf(ends.sampleShape);
  return {
    parameters: sum(layers.map(parametersOf)),
    statistics: sum(layers.map(statisticsOf)),
    largestKernel: { dense: largestKernel(layers, 'dense'), convolution: largestKernel(layers, 'convolution') },
    peak: (pass) => {
      const walk = new Walk(pass);
      const images = walk.ledger.take(pass.batchSize * imageFloats);
      const input = plan.normalization ? walk.through(images, { floats: imageFloats, isSaved: true }) : images;
      walk.forward(layers, input);
      walk.backward(pass.gradients === 'input' ? images : null);
      return walk.ledger.peak;
    },
  };
}

function largestKernel(layers: readonly LayerLayout[], type: 'dense' | 'convolution'): number {
  return Math.max(0, ...flatLayers(layers).map((layer) => (layer.type === type ? parametersOf(layer) : 0)));
}

/** Whether it is one op with a batch normalisation before it, which then does not keep what lies between. */
function isFused(layer: LayerLayout): boolean {
  if (layer.type !== 'activation') return false;
  const { activation } = layer;
  if (isFormulaActivation(activation)) return activationFunction(activation).parameters.length === 0;
  if (activation.type !== 'kaf' && activation.type !== 'residual-kaf') return false;
  const { dictionary, boundary, gamma, kernels } = activation;
  return !kernels && kafGrid(dictionary, boundary, gamma) !== null;
}

/** Memory that several tensors may share. */
interface Block {
  readonly floats: number;
  holders: number;
}

class Ledger {
  peak = 0;
  #live = 0;

  take(floats: number): Block {
    this.#live += floats;
    this.peak = Math.max(this.peak, this.#live);
    return { floats, holders: 1 };
  }

  /** Besides what lives, and gone at once. */
  borrow(floats: number): void {
    this.peak = Math.max(this.peak, this.#live + floats);
  }

  hold(block: Block): Block {
    block.holders++;
    return block;
  }

  release(block: Block): void {
    block.holders--;
    if (block.holders === 0) this.#live -= block.floats;
  }
}

interface Step {
  readonly inputs: readonly Block[];
  readonly output: Block;
  readonly saved: readonly Block[];
  readonly parameters: number;
  readonly scratch: number;
  /** Whether its inputs share the gradient of the output, as those of a sum. */
  readonly isSum: boolean;
}

interface LayerCosts {
  readonly floats: number;
  readonly isSaved: boolean;
  readonly isOutputSaved?: boolean;
  readonly parameters?: number;
  readonly scratch?: number;
}

class Walk {
  readonly ledger = new Ledger();
  readonly #pass: Pass;
  readonly #steps: Step[] = [];

  constructor(pass: Pass) {
    this.#pass = pass;
  }

  forward(layers: readonly LayerLayout[], x: Block): Block {
    return layers.reduce((value, layer, index) => {
      const after = layers[index + 1];
      const isOne = this.#pass.mode === 'training' && layer.type === 'batch-norm' && after && isFused(after);
      if (isOne) return value;
      return this.#layer(layer, value);
    }, x);
  }

  #layer(layer: LayerLayout, x: Block): Block {
    const isAll = this.#pass.gradients === 'all';
    const floats = floatsOf(layer.output);
    switch (layer.type) {
      case 'convolution':
      case 'dense':
        return this.through(x, { floats, isSaved: isAll, ...this.#costs(layer) });
      case 'batch-norm':
      case 'layer-norm':
      case 'group-norm':
      case 'activation':
        return this.through(x, { floats, isSaved: true, ...this.#costs(layer) });
      case 'max-pool':
      case 'average-pool':
        return this.through(x, { floats, isSaved: true, isOutputSaved: true, scratch: this.#poolFloats(layer) });
      case 'global-average-pool':
        return this.through(x, { floats, isSaved: false });
      case 'dropout':
        return layer.rate > 0 ? this.through(x, { floats, isSaved: false }) : x;
      case 'flatten':
        return x;
      case 'residual': {
        const branch = this.forward(layer.branch, x);
        // The factor's gradient is a sum over a product as large as the branch.
        const product = { floats, isSaved: isAll, scratch: isAll ? this.#pass.batchSize * floats : 0 };
        const scaled = layer.isScaled ? this.through(branch, product) : branch;
        const skip = this.forward(layer.skip, x);
        const through = layer.tiles > 1 ? this.through(skip, { floats, isSaved: false }) : skip;
        return this.#join([scaled, through], floats, 'sum');
      }
      case 'concat':
        return this.#join(
          layer.ways.map((way) => this.forward(way, x)),
          floats,
          'concat',
        );
      default:
        return layer satisfies never;
    }
  }

  /** With padding the mean is taken of a padded copy, and its gradient through another, of what comes times its shares at the edges. */
  #poolFloats({ type, input, output, size, stride, padding }: PoolLayout): number {
    if (type === 'max-pool' || padding === 'valid') return 0;
    const [height, width] = input.map((length, axis) => Math.max(length, (output[axis]! - 1) * stride + size));
    const padded = height! * width! * input.at(-1)!;
    if (padded === floatsOf(input)) return 0;
    return this.#pass.batchSize * (2 * padded + floatsOf(output)) + floatsOf(output);
  }

  #costs(layer: LayerLayout): Pick<LayerCosts, 'parameters' | 'scratch'> {
    const parameters = this.#pass.gradients === 'all' ? parametersOf(layer) : 0;
    return { parameters, scratch: scratchFloats(layer, this.#pass) };
  }

  #join(inputs: readonly Block[], floats: number, type: 'sum' | 'concat'): Block {
    const output = this.ledger.take(this.#pass.batchSize * floats);
    this.#steps.push({ inputs, output, saved: [], parameters: 0, scratch: 0, isSum: type === 'sum' });
    return output;
  }

  /** A layer with one input. `floats` are its output's, an image; `parameters` those whose gradients it gives. */
  through(x: Block, layer: LayerCosts): Block {
    const { parameters = 0, scratch = 0 } = layer;
    const output = this.ledger.take(this.#pass.batchSize * layer.floats);
    this.ledger.borrow(scratch);
    const saved = [...(layer.isSaved ? [x] : []), ...(layer.isOutputSaved ? [output] : [])];
    for (const block of saved) this.ledger.hold(block);
    this.#steps.push({ inputs: [x], output, saved, parameters, scratch, isSum: false });
    return output;
  }

  /** `images` where they get a gradient. */
  backward(images: Block | null): void {
    const { ledger } = this;
    for (const { output } of this.#steps) ledger.release(output);
    const gradients = new Map<Block, Block>();
    const last = this.#steps.at(-1)!.output;
    gradients.set(last, ledger.take(last.floats));
    const outputs = new Set(this.#steps.map(({ output }) => output));
    let used: readonly Block[] = [];
    for (const { inputs, output, saved, parameters, scratch, isSum } of this.#steps.toReversed()) {
      for (const block of used) ledger.release(block);
      const arriving = gradients.get(output)!;
      used = [arriving, ...saved];
      ledger.take(parameters);
      for (const input of inputs) {
        if (!outputs.has(input) && input !== images) continue;
        const made = isSum ? ledger.hold(arriving) : ledger.take(input.floats);
        const before = gradients.get(input);
        gradients.set(input, before ? ledger.take(input.floats) : made);
        if (before) ledger.release(before);
      }
      ledger.borrow(scratch);
    }
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
