// Norms, histograms, updates and responses of a made-up run.
import {
  densityBins,
  histogramBins,
  shiftBins,
  type LayerResponse,
  type RunRecord,
  type ShapeInfo,
  type TensorHistograms,
} from '../../../server/protocol/records.ts';
import type { Random } from './random.ts';

export function makeNorms(
  count: number,
  step: number,
  part: number,
  random: Random,
  isBad: boolean,
): Extract<RunRecord, { type: 'norms' }> {
  const gradients = Float32Array.from({ length: count }, (_, index) => {
    const scale =
      0.03 * 1.09 ** index * (1 + 5 * Math.exp(-12 * part)) * (index % 5 === 1 || index % 5 === 3 ? 0.2 : 1);
    return scale * Math.exp(0.28 * random.normal());
  });
  const nonFiniteGradients = new Int32Array(count);
  if (isBad) {
    for (let index = Math.floor(count * 0.6); index < count; index++) {
      gradients[index] = index % 2 ? Number.NaN : Infinity;
      nonFiniteGradients[index] = 64;
    }
  }
  return {
    type: 'norms',
    step,
    weights: Float32Array.from(
      { length: count },
      (_, index) => (1 + (index % 5 === 0 ? 6 : 0.6)) * (1 + 0.6 * part + 0.003 * random.normal()),
    ),
    gradients,
    nonFiniteWeights: new Int32Array(count),
    nonFiniteGradients,
  };
}

export function makeHistograms(count: number, step: number, part: number): Extract<RunRecord, { type: 'histograms' }> {
  const bell = (width: number): TensorHistograms => ({
    ranges: Float32Array.from({ length: 2 * count }, (_, at) => (at % 2 === 0 ? -1 : 1) * width * (1 + at / count)),
    bins: Uint8Array.from({ length: histogramBins * count }, (_, at) =>
      bellAt((at % histogramBins) / histogramBins, 0.5),
    ),
  });
  return { type: 'histograms', step, weights: bell(0.1 * (1 + 2 * part)), gradients: bell(0.03 * Math.exp(-4 * part)) };
}

/** In 255ths of its highest, around a place in [0, 1]. */
function bellAt(place: number, centre: number): number {
  return Math.round(255 * Math.exp(-((place - centre) ** 2) / 0.02));
}

/** An attack moves later layers more, less as training goes on. */
export function makeResponses(
  activations: readonly ShapeInfo[],
  step: number,
  part: number,
): Extract<RunRecord, { type: 'responses' }> {
  const row = (bins: number, centre: number): Uint8Array =>
    Uint8Array.from({ length: bins }, (_, bin) => bellAt((bin + 0.5) / bins, centre));
  const layers = [...activations, null].map((info, depth): LayerResponse => {
    const relative = (0.08 + 0.11 * depth) * (1 - 0.5 * part);
    const size = densityBins + 2;
    const rows = (offset: number): Uint8Array =>
      Uint8Array.from({ length: (info?.channels ?? 0) * size }, (_, at) =>
        bellAt(((at % size) + 0.5) / size, 0.42 + 0.1 * Math.sin(Math.floor(at / size)) + offset),
      );
    return {
      ...{ layer: info?.layer ?? 'logits', l2: relative * 30, relative, thesis: relative ** 2 * 3, ks: relative / 3 },
      outputs: { low: -1.5, high: 2.5, clean: row(shiftBins, 0.4), attacked: row(shiftBins, 0.4 + relative / 4) },
      ...(info &&
        !('axis' in info) && { inputs: { low: -4, high: 4, clean: rows(0), attacked: rows(0.05 + relative / 9) } }),
    };
  });
  return { type: 'responses', step, samples: 32, attack: 'PGD-10 8/255', layers };
}

/** About 10⁻³ of the weights, more at the start; some layers move too little. */
export function makeUpdates(count: number, step: number, part: number): Extract<RunRecord, { type: 'updates' }> {
  const ratio = (index: number): number =>
    1e-3 * (1 + 8 * Math.exp(-9 * part)) * (index % 5 === 3 ? 0.03 : 1) * (1 + 0.4 * Math.sin(step / 60 + index));
  return {
    ...{ type: 'updates', step, before: new Float32Array(count).fill(2) },
    updates: Float32Array.from({ length: count }, (_, index) => 2 * ratio(index)),
    attack: { norms: Float32Array.of(0.02 * (1 + part) * (1 + 0.2 * Math.sin(step / 40))), zeros: Int32Array.of(0) },
  };
}
