// The curves, and surfaces, of the activation functions that are trained in a `.safetensors` file, found by the tensors' names and shapes and by the plan beside them.
import type { KafContents, ShapeContents } from '../protocol/checkpoint.ts';
import { activationFunction, isFormulaActivation } from '../formula/activationFunction.ts';
import { mixedCoefficients } from '../formula/kafKernels.ts';
import type { FormulaText } from '../formula/formula.ts';
import { isKaf, kernelsOf } from '../protocol/plan.ts';
import type { ActivationPlan, Kaf2dPlan, KafPlan, SplinePlan } from '../protocol/plan.ts';
import type { KafKernels } from '../protocol/records.ts';
import { dtypeBytes } from './safetensors.ts';
import type { SafetensorsFile, StoredTensor } from './safetensors.ts';
import { readValues } from './tensorValues.ts';

/** Far more than ours have. Another program's may have any number, which could be neither sent nor drawn. */
const maxChannels = 4096;
const maxDictionary = 1024;
const maxValues = 2_000_000;

export interface CurveReaderOptions {
  readonly stored: SafetensorsFile;
  /** Of the plan, by the layers' names; null for another program's file. */
  readonly activations: ReadonlyMap<string, ActivationPlan> | null;
  /** To read into. */
  readonly buffer: Uint8Array<ArrayBuffer>;
}

/** Ours, and those of the usual module of PyTorch, of which the dictionary is the same for all channels. */
const kernelNames = /\.(dictionary|logGamma|mixture|dict|gamma)$/;

export class CurveReader {
  readonly found: ShapeContents[] = [];
  readonly #options: CurveReaderOptions;
  /** Dictionaries, bandwidths and mixtures of the channels' own, by name. */
  readonly #kernels: ReadonlyMap<string, StoredTensor>;
  #nTooLarge = 0;
  #valuesLeft = maxValues;

  constructor(options: CurveReaderOptions) {
    this.#options = options;
    const kernels = options.stored.tensors.filter(({ name }) => kernelNames.test(name));
    this.#kernels = new Map(kernels.map((tensor) => [tensor.name, tensor]));
  }

  /** How many tensors have curves that are too many to be sent or drawn. */
  get nTooLarge(): number {
    return this.#nTooLarge;
  }

  /** Finds the curves of a tensor that has some. */
  look(tensor: StoredTensor): void {
    const curves = curvesOf(tensor, this.#options.activations);
    if (!curves || (curves.kind === 'foreign-kaf' && !this.#hasDictionary(tensor, curves))) return;
    const { channels, size } = curves;
    // Twice, as each channel may have a dictionary of its own, or weights of kernels besides.
    const nKernels = (curves.kind === 'kaf' && mixedKernels(curves.kaf)) || 1;
    const values = 2 * channels * size * nKernels + channels + size;
    if (channels > maxChannels || size > maxDictionary || values > this.#valuesLeft) {
      this.#nTooLarge++;
      return;
    }
    const contents = this.#contents(tensor, curves);
    if (!contents) return;
    this.#valuesLeft -= values;
    this.found.push({ ...contents, ...(curves.isAverage && { weights: 'average' }) });
  }

  /** Null of another program's KAF that can't be drawn. */
  #contents(tensor: StoredTensor, curves: FoundCurves): ShapeContents | null {
    const { layer, channels } = curves;
    switch (curves.kind) {
      case 'kaf':
        return this.#kaf(tensor, curves, curves.kaf);
      case 'foreign-kaf':
        return this.#foreignKaf(tensor, curves);
      case 'spline': {
        const { points, boundary, basis } = curves.spline;
        return { layer, channels, dictionary: evenly(points, boundary), spline: basis, alpha: this.#floats(tensor) };
      }
      case 'formula':
        return { layer, channels, formula: curves.formula, alpha: this.#floats(tensor) };
      case 'surface': {
        const { dictionary, boundary, gamma } = curves.surface;
        return { layer, channels, axis: evenly(dictionary, boundary), gamma, alpha: this.#floats(tensor) };
      }
    }
  }

  #kaf(tensor: StoredTensor, { layer, channels, size }: Curves, kaf: KafPlan): KafContents {
    const kernels = this.#kernelsBeside(tensor, channels, size);
    return {
      layer,
      channels,
      dictionary: evenly(size, kaf.boundary),
      gamma: kaf.gamma,
      base: kaf.type === 'residual-kaf' ? 'swish' : 'none',
      ...(kaf.kernels ? { kernelNames: kaf.kernels } : {}),
      alpha: this.#coefficients(tensor, channels, kaf),
      ...(kernels ? { kernels } : {}),
    };
  }

  /** Whether there is one of the right length, for all channels or of each channel's own. */
  #hasDictionary(alpha: StoredTensor, { channels, size }: Curves): boolean {
    return this.#beside(alpha, 'dict', size) !== null || this.#beside(alpha, 'dictionary', channels * size) !== null;
  }

  /** γ as the file has it, else by the thesis's rule, 1/(6Δ²). Null where its dictionary does not ascend. */
  #foreignKaf(tensor: StoredTensor, { layer, channels, size }: Curves): KafContents | null {
    const kernels = this.#kernelsBeside(tensor, channels, size);
    const dictionary = this.#readBeside(tensor, 'dict', size) ?? kernels?.dictionaries.subarray(0, size);
    const ascends = dictionary?.every((d, index) => Number.isFinite(d) && (index === 0 || d > dictionary[index - 1]!));
    if (!dictionary || !(ascends || kernels)) return null;
    const spacing = (dictionary.at(-1)! - dictionary[0]!) / (size - 1);
    const gamma = this.#readBeside(tensor, 'gamma', 1)?.[0] ?? kernels?.gammas[0] ?? 1 / (6 * spacing ** 2);
    const alpha = this.#floats(tensor);
    return {
      ...{ layer, channels, dictionary: [...dictionary], gamma, base: 'none', alpha },
      ...(kernels ? { kernels } : {}),
    };
  }

  /** The dictionary and the bandwidth that stand beside an α; null where they are fixed, and so not in the file. */
  #kernelsBeside(alpha: StoredTensor, channels: number, size: number): KafKernels | null {
    const dictionaries = this.#readBeside(alpha, 'dictionary', channels * size);
    const logGammas = this.#readBeside(alpha, 'logGamma', channels);
    return dictionaries && logGammas ? { dictionaries, gammas: logGammas.map(Math.exp) } : null;
  }

  #readBeside(alpha: StoredTensor, quantity: string, count: number): Float32Array | null {
    const tensor = this.#beside(alpha, quantity, count);
    return tensor && this.#floats(tensor);
  }

  #beside({ name }: StoredTensor, quantity: string, count: number): StoredTensor | null {
    const tensor = this.#kernels.get(`${name.slice(0, -'alpha'.length)}${quantity}`);
    return tensor && valuesIn(tensor) === count ? tensor : null;
  }

  /** Of a multi-KAF, what the weights of its kernels make of α. */
  #coefficients(tensor: StoredTensor, channels: number, kaf: KafPlan): Float32Array {
    const alpha = this.#floats(tensor);
    const nKernels = mixedKernels(kaf);
    if (nKernels === 0) return alpha;
    const mixture = this.#readBeside(tensor, 'mixture', channels * nKernels);
    return mixedCoefficients(alpha, mixture ?? new Float32Array(channels * nKernels).fill(Number.NaN), channels);
  }

  #floats(tensor: StoredTensor): Float32Array {
    const { stored, buffer } = this.#options;
    const floats = new Float32Array(valuesIn(tensor));
    let at = 0;
    for (const part of stored.readParts(tensor, buffer)) {
      const values = readValues(tensor.dtype, part);
      floats.set(values, at);
      at += values.length;
    }
    return floats;
  }
}

interface Curves {
  readonly layer: string;
  readonly channels: number;
  readonly size: number;
  /** Of the moving average of the weights. */
  readonly isAverage: boolean;
}

type FoundCurves = Curves &
  (
    | { readonly kind: 'kaf'; readonly kaf: KafPlan }
    | { readonly kind: 'foreign-kaf' }
    | { readonly kind: 'spline'; readonly spline: SplinePlan }
    | { readonly kind: 'formula'; readonly formula: FormulaText }
    | { readonly kind: 'surface'; readonly surface: Kaf2dPlan }
  );

/**
 * Null where the tensor is neither a `[channels, dictionary]` of KAF coefficients (of another program's with axes of one value anywhere) nor
 * a `[channels, points]` of a spline, a `[channels, parameters]` of a formula or the `[channels, D·D]` of a two-dimensional KAF of ours:
 * these alone don't tell what they belong to.
 */
function curvesOf({ name, shape }: StoredTensor, activations: CurveReaderOptions['activations']): FoundCurves | null {
  const axes = activations || shape.length === 2 ? shape : shape.filter((length) => length !== 1);
  const [channels, size] = axes;
  const [, group, layer, quantity] =
    /^(?!optimizer\/)(?:(model|average)\/)?(.+)\.(coefficients|points|alpha)$/.exec(name) ?? [];
  if (axes.length !== 2 || !channels || !size || !layer) return null;
  const curves = { layer, channels, size, isAverage: group === 'average' };
  if (!activations) return quantity === 'alpha' && size >= 2 ? { ...curves, kind: 'foreign-kaf' } : null;
  const activation = group === undefined ? undefined : activations.get(layer);
  if (!activation) return null;
  if (quantity === 'coefficients' && isFormulaActivation(activation)) {
    const { formula } = activationFunction(activation);
    return size === formula.text.parameters.length ? { ...curves, kind: 'formula', formula: formula.text } : null;
  }
  if (quantity === 'points' && activation.type === 'spline') {
    return size === activation.points ? { ...curves, kind: 'spline', spline: activation } : null;
  }
  if (quantity !== 'alpha') return null;
  if (activation.type === 'kaf-2d') {
    return size === activation.dictionary ** 2 ? { ...curves, kind: 'surface', surface: activation } : null;
  }
  return isKaf(activation) && size === activation.dictionary ? { ...curves, kind: 'kaf', kaf: activation } : null;
}

/** How many kernels have weights of their own; 0 where none has. */
function mixedKernels(kaf: KafPlan): number {
  return kaf.type === 'multi-kaf' ? kernelsOf(kaf).length : 0;
}

function valuesIn({ dtype, sizeBytes }: StoredTensor): number {
  return sizeBytes / dtypeBytes[dtype];
}

function evenly(size: number, boundary: number): number[] {
  const spacing = (2 * boundary) / (size - 1);
  return Array.from({ length: size }, (_, index) => -boundary + index * spacing);
}
