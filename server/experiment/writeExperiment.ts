// A plan back as an experiment file with every key spelled out: what a run did, as text that can be run again.
import { stringify } from 'yaml';
import { isKaf, type ActivationPlan, type NetworkPlan, type Plan } from '../protocol/plan.ts';
import { layerValues } from './layersSetting.ts';

/** YAML that compiles to the same plan, wherever the file is. */
export function writeExperiment(plan: Plan): string {
  const { name, dataset, model, training, observe, checkpoints, evaluation, seed, runtime, threads } = plan;
  const { threat, ...rest } = training;
  return stringify({
    name,
    dataset,
    model: {
      ...model,
      network: networkValues(model.network),
      activation: activationValues(model.activation),
      normalization: model.normalization ?? 'none',
    },
    training: threat ? { ...rest, threat } : rest,
    observe: {
      norms: observe.normsEverySteps,
      shapes: observe.shapesEverySteps,
      test: observe.testEveryEpochs,
      robustSamples: observe.robustSamples,
      robustSteps: observe.robustSteps,
      tensorboard: observe.tensorboard,
    },
    checkpoints,
    evaluation,
    seed,
    runtime,
    threads: threads ?? 'auto',
  });
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
  if (!isKaf(activation)) return activation;
  const { init, kernels, ...numbers } = activation;
  const start = init.type === 'normal' ? { normal: init.std } : { ridge: init.target, epsilon: init.epsilon };
  const named = !kernels ? {} : activation.type === 'multi-kaf' ? { kernels } : { kernel: kernels[0] };
  return { ...numbers, ...named, init: start };
}
