// Gradients that grow or shrink exponentially on their way back, from the first norms of a run on.
import { depthGain, depthKinds, mainKind } from '../depthGain.ts';
import type { HealthRule, Seen, WatchedRun } from '../healthRule.ts';
import type { ParameterInfo, RunRecord } from '../../protocol/records.ts';

/** From the last layer to the first; a plain network of 110 layers with ReLU has 45, a sound one of 20 with Swish 2. */
const fromFactor = 1000;

/** The largest finite float16. */
const float16Max = 65_504;

export const explodingGradients: HealthRule = {
  title: 'Gradients explode across depth',
  severity: 'warning',
  meaning:
    'They grow by the same factor from layer to layer on the way back, so the first layers take steps that are far too long while ' +
    'the last ones hardly move. Clipping the global norm prevents NaN but leaves the ratio between the layers.',
  remedy:
    'Choose an activation with a gain near 1 after batch normalisation (its hover says it: residual-kaf, KAFs with wide kernels, ELU), ' +
    'pre-activation blocks with a trained scale, or fewer layers.',
  tab: 'norms',
  watch: (run) => watchFirstNorms(run, (gain) => gain >= fromFactor),
};

export const vanishingGradients: HealthRule = {
  title: 'Gradients vanish across depth',
  severity: 'warning',
  meaning: 'They shrink by the same factor from layer to layer on the way back, so the first layers hardly learn.',
  remedy:
    'Put a normalisation before every activation, add skip connections, or choose an activation with a gain near 1 (its hover says it).',
  tab: 'norms',
  watch: (run) => watchFirstNorms(run, (gain) => gain <= 1 / fromFactor),
};

function watchFirstNorms({ prepared: { parameters } }: WatchedRun, isBad: (wholeGain: number) => boolean) {
  const members = mainKind(depthKinds(parameters))?.parameters ?? [];
  let isOver = false;
  return (record: RunRecord): Seen | null => {
    if (record.type !== 'norms' || isOver) return null;
    isOver = true;
    const norms = members.map((index) => record.gradients[index]!);
    const { gain } = depthGain(norms);
    if (!isBad(gain ** (members.length - 1))) return null;
    const layers = members.map((index) => parameters[index]!.layer);
    const at = (position: number) => `${norms.at(position)!.toExponential(1)} at ${layers.at(position)!}`;
    const evidence =
      `The gradient's norm changes by ×${gain.toFixed(2)} a layer on the way back through ${String(layers.length)} layers: ` +
      `${at(-1)}, ${at(0)}.${float16Text(parameters, record.gradients)}`;
    return { step: record.step, evidence, layer: layers[0]! };
  };
}

/** How many gradients float16 could not hold: a root mean square above its largest means that at least one value is. */
function float16Text(parameters: readonly ParameterInfo[], gradients: Float32Array): string {
  const overflowing = parameters.filter(({ shape }, index) => {
    const size = shape.reduce((product, length) => product * length, 1);
    return !(gradients[index]! / Math.sqrt(size) <= float16Max);
  });
  if (overflowing.length === 0) return '';
  return ` In float16 at least ${String(overflowing.length)} of ${String(parameters.length)} gradients would not be finite.`;
}
