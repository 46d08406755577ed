// The other network of an attack by transfer, opened from a checkpoint: whether it fits what is attacked, and its weights. Where the
// checkpoint lies, and how it is read, is not known here.
import { isDeepStrictEqual } from 'node:util';
import type { Dataset } from '../data/split.ts';
import type { Network } from '../model/network.ts';
import { datasetEnds } from '../network/datasetEnds.ts';
import { layOutNetwork } from '../network/layout.ts';
import { NetworkError } from '../network/networkError.ts';
import { datasetDeclaration } from '../protocol/datasets.ts';
import { trainingSamples, type Plan } from '../protocol/plan.ts';
import type { SurrogateOrigin } from '../protocol/records.ts';
import { endsOf, networkOf } from './planNetwork.ts';
import { epochsBefore, stepsInEpoch } from './schedule.ts';
import { restoreNetwork, StateMismatchError, type TrainingState, type WeightsName } from './trainingState.ts';

export interface Surrogate {
  /** For people. */
  readonly file: string;
  readonly plan: Plan;
  readonly state: TrainingState;
  readonly origin: SurrogateOrigin;
}

/** A surrogate before its weights are read. */
export type SurrogatePlan = Pick<Surrogate, 'file' | 'plan'>;

/** By the place that an attack's `from` names. */
export type Surrogates = ReadonlyMap<string, Surrogate>;

/** No images can be made on it for the network that is attacked; the message says why and what to do. */
export class SurrogateError extends Error {
  override readonly name = 'SurrogateError';
}

/** What is attacked. */
interface Attacked {
  readonly plan: Plan;
  readonly dataset: Dataset;
}

/** @throws SurrogateError where its samples, its classes or what it standardises by are others */
export function requireFittingSurrogate(surrogate: SurrogatePlan, { plan, dataset }: Attacked): void {
  const own = datasetEnds(surrogate.plan.dataset) ?? pictureEnds(surrogate.plan);
  const attacked = datasetEnds(plan.dataset) ?? { sampleShape: dataset.sampleShape, nClasses: dataset.classes.length };
  if (own && own.sampleShape.join() !== attacked.sampleShape.join()) {
    const shapes = `samples of ${own.sampleShape.join('×')}, the attacked one of ${attacked.sampleShape.join('×')}`;
    throw unfit(surrogate, `takes ${shapes}`);
  }
  if (own && 'nClasses' in own && own.nClasses !== attacked.nClasses) {
    throw unfit(
      surrogate,
      `tells ${String(own.nClasses)} classes apart, the attacked one ${String(attacked.nClasses)}`,
    );
  }
  const [classes, others] = [plan, surrogate.plan].map((one) => datasetDeclaration(one.dataset.name).ends?.classes);
  if (classes && others && plan.dataset.name !== surrogate.plan.dataset.name && !isDeepStrictEqual(classes, others)) {
    throw unfit(
      surrogate,
      `tells the classes of ${surrogate.plan.dataset.name} apart, not those of ${plan.dataset.name}`,
    );
  }
  // The figures are those of the data that it was trained on, which are not opened here.
  if (surrogate.plan.model.normalization === 'dataset' && !isSameData(surrogate.plan, plan)) {
    throw unfit(surrogate, 'standardises by figures of its own data set, which is not that of the attacked one');
  }
  try {
    layOutNetwork(surrogate.plan.model, endsOf(surrogate.plan, dataset));
  } catch (error) {
    if (error instanceof NetworkError) throw unfit(surrogate, `does not fit these samples (${error.message})`, error);
    throw error;
  }
}

/** With its weights; of a run that averages them with their average, as it is evaluated itself. @throws SurrogateError */
export function surrogateNetwork(surrogate: Surrogate, attacked: Attacked): Network {
  requireFittingSurrogate(surrogate, attacked);
  const { plan, state } = surrogate;
  const network = networkOf(plan, attacked.dataset);
  try {
    restoreNetwork(network, state, evaluatedWeights(plan));
    const nSamples = trainingSamples(plan.dataset) ?? attacked.dataset.train.nSamples;
    network.setEpoch(epochsBefore(state.step, stepsInEpoch(plan.training, nSamples)));
    return network;
  } catch (error) {
    network.dispose();
    if (error instanceof StateMismatchError) throw unfit(surrogate, `does not fit: ${error.message}`, error);
    throw error;
  }
}

/** Of all of them, by their places. @throws SurrogateError */
export function surrogateNetworks(surrogates: Surrogates, attacked: Attacked): Map<string, Network> {
  const networks = new Map<string, Network>();
  try {
    for (const [place, surrogate] of surrogates) networks.set(place, surrogateNetwork(surrogate, attacked));
    return networks;
  } catch (error) {
    for (const network of networks.values()) network.dispose();
    throw error;
  }
}

/** Whether both are one network with the same weights. @param of which of the attacked network's */
export function isSameNetwork(
  surrogate: Surrogate,
  { plan, state, of }: { readonly plan: Plan; readonly state: TrainingState; readonly of: WeightsName },
): boolean {
  const theirs = evaluatedWeights(surrogate.plan);
  if (!isDeepStrictEqual(surrogate.plan.model, plan.model)) return false;
  return [...state.tensors].every(([name, { values }]) => {
    if (!name.startsWith(`${of}/`)) return true;
    const own = surrogate.state.tensors.get(`${theirs}${name.slice(of.length)}`);
    return isDeepStrictEqual(own?.values, values);
  });
}

/** Which of a checkpoint's weights are evaluated where nothing else is asked for. */
export function evaluatedWeights({ training }: Plan): WeightsName {
  return training.weightAverage === undefined ? 'model' : 'average';
}

/** Of pictures in folders the plan tells the size, if not the classes. */
function pictureEnds({ dataset }: Plan): { readonly sampleShape: readonly number[] } | null {
  if (dataset.name !== 'folder') return null;
  return { sampleShape: [dataset.size, dataset.size, dataset.colors === 'grey' ? 1 : 3] };
}

/** Published data may lie anywhere. */
function isSameData({ dataset: one }: Plan, { dataset: other }: Plan): boolean {
  const isPublished = datasetDeclaration(one.name).download !== null;
  return isDeepStrictEqual(isPublished ? { ...one, path: '' } : one, isPublished ? { ...other, path: '' } : other);
}

function unfit({ file }: SurrogatePlan, what: string, cause?: unknown): SurrogateError {
  return new SurrogateError(
    `transfer: the network of ${file} ${what}. Name a checkpoint in from that was trained on the same data set.`,
    { cause },
  );
}
