// The memory of a pass forward and back through a network, counted without making a tensor: what lives when, by the layers' shapes.
// What a whole training step or an evaluation holds besides is in server/trainer/planMemory.ts.
import { activationFunction, isFormulaActivation } from '../formula/activations.ts';
import { kernelsOf, type ActivationPlan, type ModelPlan } from '../protocol/plan.ts';
import { scratchFloats } from './kernelScratch.ts';
import { layOutNetwork, type LayerLayout, type NetworkEnds } from './layout.ts';

export interface PassMemory {
  /** Weights, and running statistics. */
  readonly parameters: number;
  readonly statistics: number;
  /** The most at any time of a pass, its images and the gradients that it gives included. */
  peak(pass: Pass): number;
}

interface Pass {
  readonly batchSize: number;
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
  const imageFloats = product(ends.imageShape);
  return {
    parameters: sum(layers.map((layer) => parametersOf(layer, plan.activation))),
    statistics: sum(layers.map(statisticsOf)),
    peak: (pass) => {
      const walk = new Walk(plan, pass);
      const images = walk.ledger.take(pass.batchSize * imageFloats);
      const input = plan.normalization ? walk.through(images, { floats: imageFloats, isSaved: true }) : images;
      walk.forward(layers, input);
      walk.backward(pass.gradients === 'input' ? images : null);
      return walk.ledger.peak;
    },
  };
}

function parametersOf(layer: LayerLayout, activation: ActivationPlan): number {
  switch (layer.type) {
    case 'convolution': {
      const [inChannels, outChannels] = [layer.input[2], layer.output[2]];
      return (layer.size ** 2 * inChannels + 1) * outChannels;
    }
    case 'dense':
      return (layer.inputs + 1) * layer.units;
    case 'batch-norm':
      return 2 * layer.shape[2];
    case 'activation':
      return coefficientsOf(activation) * layer.shape.at(-1)!;
    case 'residual':
      return sum([...layer.branch, ...layer.skip].map((inner) => parametersOf(inner, activation)));
    default:
      return 0;
  }
}

/** Trained values of a channel. */
function coefficientsOf(activation: ActivationPlan): number {
  if (isFormulaActivation(activation)) return activationFunction(activation).parameters.length;
  switch (activation.type) {
    case 'spline':
      return activation.points;
    case 'kaf':
    case 'residual-kaf':
      return activation.dictionary;
    case 'multi-kaf':
      return activation.dictionary + kernelsOf(activation).length;
    case 'kaf-2d':
      return activation.dictionary ** 2;
    case 'kaf-free':
      return 2 * activation.dictionary + 1;
    case 'k-wta':
    case 'maxout':
      return 0;
    default:
      return activation satisfies never;
  }
}

function statisticsOf(layer: LayerLayout): number {
  if (layer.type === 'residual') return sum([...layer.branch, ...layer.skip].map(statisticsOf));
  return layer.type === 'batch-norm' ? 2 * layer.shape[2] : 0;
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
  readonly #plan: ModelPlan;
  readonly #pass: Pass;
  readonly #steps: Step[] = [];

  constructor(plan: ModelPlan, pass: Pass) {
    this.#plan = plan;
    this.#pass = pass;
  }

  forward(layers: readonly LayerLayout[], x: Block): Block {
    return layers.reduce((value, layer) => this.#layer(layer, value), x);
  }

  #layer(layer: LayerLayout, x: Block): Block {
    const { activation } = this.#plan;
    const isAll = this.#pass.gradients === 'all';
    const parameters = isAll && layer.type !== 'residual' ? parametersOf(layer, activation) : 0;
    const costs = { parameters, scratch: scratchFloats(layer, { ...this.#pass, activation }) };
    switch (layer.type) {
      case 'convolution':
        return this.through(x, { floats: product(layer.output), isSaved: isAll, ...costs });
      case 'dense':
        return this.through(x, { floats: layer.units, isSaved: isAll, ...costs });
      case 'batch-norm':
      case 'activation':
        return this.through(x, { floats: product(layer.shape), isSaved: true, ...costs });
      case 'max-pool': {
        const [height, width, channels] = layer.input;
        const floats = Math.floor(height / 2) * Math.floor(width / 2) * channels;
        return this.through(x, { floats, isSaved: true, isOutputSaved: true });
      }
      case 'global-average-pool':
        return this.through(x, { floats: layer.input[2], isSaved: false });
      case 'dropout':
        return this.#plan.dropout[layer.index] ? this.through(x, { floats: product(layer.shape), isSaved: false }) : x;
      case 'flatten':
        return x;
      case 'residual': {
        const inputs = [this.forward(layer.branch, x), this.forward(layer.skip, x)];
        const output = this.ledger.take(this.#pass.batchSize * product(layer.output));
        this.#steps.push({ inputs, output, saved: [], parameters: 0, scratch: 0, isSum: true });
        return output;
      }
      default:
        return layer satisfies never;
    }
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

function product(shape: readonly number[]): number {
  return shape.reduce((total, size) => total * size, 1);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
