// A plan back as an experiment file with every key spelled out: what a run did, as text that can be run again.
import { stringify } from 'yaml';
import { isKaf, type KafPlan, type ActivationPlan, type NetworkPlan, type Plan } from '../protocol/plan.ts';
import { isPixelLength } from '../protocol/attackKey.ts';
import { evaluationKeys, evaluationNames } from '../protocol/evaluationTable.ts';
import { layerValues } from './layersSetting.ts';

const pixelLengthKeys = new Set(
  evaluationNames.flatMap((attack) =>
    Object.entries(evaluationKeys(attack)).flatMap(([name, key]) => (isPixelLength(key) ? [name] : [])),
  ),
);

/** YAML that compiles to the same plan, wherever the file is; lengths in pixel values as fractions where they are such. */
export function writeExperiment(plan: Plan): string {
  const { name, dataset, model, observe, checkpoints, seed, runtime, device, tf32, threads, parts } = plan;
  const { threat, ...rest } = plan.training;
  const threatened = threat ? { ...rest, threat: withFractions(threat) } : rest;
  const training = { ...threatened, watch: rest.watch ?? 'off' };
  const evaluation = plan.evaluation.map(withFractions);
  return stringify({
    name,
    // Said also where it is 0, which is not its default where something is chosen.
    dataset: { ...dataset, validationSamples: dataset.validationSamples ?? 0 },
    model: {
      ...model,
      network: networkValues(model.network),
      activation: activationValues(model.activation),
      normalization: model.normalization ?? 'none',
    },
    training,
    observe: {
      norms: observe.normsEverySteps,
      shapes: observe.shapesEverySteps,
      histograms: observe.histogramsEverySteps,
      test: observe.testEveryEpochs,
      robustSamples: observe.robustSamples,
      robustSteps: observe.robustSteps,
      shiftSamples: observe.shiftSamples,
      tensorboard: observe.tensorboard,
    },
    checkpoints,
    evaluation,
    seed,
    runtime: device || tf32 ? { type: runtime, ...(device && { device }), ...(tf32 && { tf32 }) } : runtime,
    threads: threads ?? 'auto',
    ...(parts && { parts }),
  });
}

/** Of an attack's settings; small whole numbers of 255ths, of which 0.2 is none to read. */
function withFractions(settings: object): object {
  const fraction = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(fraction);
    if (typeof value !== 'number' || Number.isInteger(value)) return value;
    const parts = Math.round(value * 255);
    return parts <= 32 && parts / 255 === value ? `${String(parts)}/255` : value;
  };
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [key, pixelLengthKeys.has(key) ? fraction(value) : value]),
  );
}

function networkValues(network: NetworkPlan): unknown {
  if (typeof network === 'string' || network.type !== 'layers') return network;
  return { layers: layerValues(network.layers, activationValues) };
}

function activationValues(activation: ActivationPlan): object {
  if (activation.type === 'formula') {
    const parameters = activation.parameters.map(({ name, start, min, max }) => {
      const bounds = { ...(min === null ? {} : { min }), ...(max === null ? {} : { max }) };
      return [name, Object.keys(bounds).length > 0 ? { start, ...bounds } : start] as const;
    });
    return { ...activation, parameters: Object.fromEntries(parameters) };
  }
  if (!('init' in activation)) return activation;
  const { init, ...others } = activation;
  const start = init.type === 'normal' ? { normal: init.std } : { ridge: init.target, epsilon: init.epsilon };
  if (!isKaf(activation)) return { ...others, init: start };
  const { kernels, ...numbers } = others as Omit<KafPlan, 'init'>;
  const named = !kernels ? {} : activation.type === 'multi-kaf' ? { kernels } : { kernel: kernels[0] };
  return { ...numbers, ...named, init: start };
}
