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

/** Boundary that Kafscope takes where nothing else is said. */
const defaultBoundary = 3;

export interface CurveReaderOptions {
  readonly stored: SafetensorsFile;
  /** Of the plan, by the layers' names; null for another program's file. */
  readonly activations: ReadonlyMap<string, ActivationPlan> | null;
  /** To read into. */
  readonly buffer: Uint8Array<ArrayBuffer>;
}

export class CurveReader {
  readonly found: ShapeContents[] = [];
  readonly #options: CurveReaderOptions;
  /** Dictionaries, bandwidths and mixtures of the channels' own, by name. */
  readonly #kernels: ReadonlyMap<string, StoredTensor>;
  #nTooLarge = 0;
  #valuesLeft = maxValues;

  constructor(options: CurveReaderOptions) {
    this.#options = options;
    const kernels = options.stored.tensors.filter(({ name }) => /\.(dictionary|logGamma|mixture)$/.test(name));
    this.#kernels = new Map(kernels.map((tensor) => [tensor.name, tensor]));
  }

  /** How many tensors have curves that are too many to be sent or drawn. */
  get nTooLarge(): number {
    return this.#nTooLarge;
  }

  /** Finds the curves of a tensor that has some. */
  look(tensor: StoredTensor): void {
    const curves = curvesOf(tensor, this.#options.activations);
    if (!curves) return;
    const { channels, size } = curves;
    // Twice, as each channel may have a dictionary of its own, or weights of kernels besides.
    const values =
      2 * channels * size * Math.max(1, curves.kind === 'kaf' ? mixedKernels(curves.kaf) : 0) + channels + size;
    if (channels > maxChannels || size > maxDictionary || values > this.#valuesLeft) {
      this.#nTooLarge++;
      return;
    }
    this.#valuesLeft -= values;
    this.found.push({ ...this.#contents(tensor, curves), ...(curves.isAverage && { weights: 'average' }) });
  }

  #contents(tensor: StoredTensor, curves: FoundCurves): ShapeContents {
    const { layer, channels } = curves;
    switch (curves.kind) {
      case 'kaf':
        return this.#kaf(tensor, curves, curves.kaf);
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

  #kaf(tensor: StoredTensor, { layer, channels, size }: Curves, kaf: KafPlan | null): KafContents {
    const boundary = kaf?.boundary ?? defaultBoundary;
    const kernels = this.#kernelsBeside(tensor, channels, size);
    return {
      layer,
      channels,
      dictionary: evenly(size, boundary),
      gamma: kaf?.gamma ?? 1 / (6 * spacingOf(size, boundary) ** 2),
      base: kaf?.type === 'residual-kaf' ? 'swish' : 'none',
      ...(kaf?.kernels ? { kernelNames: kaf.kernels } : {}),
      alpha: this.#coefficients(tensor, channels, kaf),
      ...(kernels ? { kernels } : {}),
    };
  }

  /** The dictionary and the bandwidth that stand beside an α; null where they are fixed, and so not in the file. */
  #kernelsBeside(alpha: StoredTensor, channels: number, size: number): KafKernels | null {
    const dictionaries = this.#readBeside(alpha, 'dictionary', channels * size);
    const logGammas = this.#readBeside(alpha, 'logGamma', channels);
    return dictionaries && logGammas ? { dictionaries, gammas: logGammas.map(Math.exp) } : null;
  }

  #readBeside({ name }: StoredTensor, quantity: string, count: number): Float32Array | null {
    const tensor = this.#kernels.get(`${name.slice(0, -'alpha'.length)}${quantity}`);
    return tensor && valuesIn(tensor) === count ? this.#floats(tensor) : null;
  }

  /** Of a multi-KAF, what the weights of its kernels make of α. */
  #coefficients(tensor: StoredTensor, channels: number, kaf: KafPlan | null): Float32Array {
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
    | { readonly kind: 'kaf'; readonly kaf: KafPlan | null }
    | { readonly kind: 'spline'; readonly spline: SplinePlan }
    | { readonly kind: 'formula'; readonly formula: FormulaText }
    | { readonly kind: 'surface'; readonly surface: Kaf2dPlan }
  );

/**
 * Null where the tensor is neither a `[channels, dictionary]` of KAF coefficients, for which another program's is read with our defaults, nor
 * a `[channels, points]` of a spline, a `[channels, parameters]` of a formula or the `[channels, D·D]` of a two-dimensional KAF of ours:
 * these alone don't tell what they belong to.
 */
function curvesOf({ name, shape }: StoredTensor, activations: CurveReaderOptions['activations']): FoundCurves | null {
  const [channels, size] = shape;
  const [, group, layer, quantity] =
    /^(?!optimizer\/)(?:(model|average)\/)?(.+)\.(coefficients|points|alpha)$/.exec(name) ?? [];
  if (shape.length !== 2 || !channels || !size || !layer) return null;
  const curves = { layer, channels, size, isAverage: group === 'average' };
  if (!activations) return quantity === 'alpha' && size >= 2 ? { ...curves, kind: 'kaf', kaf: null } : null;
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
function mixedKernels(kaf: KafPlan | null): number {
  return kaf?.type === 'multi-kaf' ? kernelsOf(kaf).length : 0;
}

function valuesIn({ dtype, sizeBytes }: StoredTensor): number {
  return sizeBytes / dtypeBytes[dtype];
}

function spacingOf(size: number, boundary: number): number {
  return (2 * boundary) / (size - 1);
}

function evenly(size: number, boundary: number): number[] {
  const spacing = spacingOf(size, boundary);
  return Array.from({ length: size }, (_, index) => -boundary + index * spacing);
}
