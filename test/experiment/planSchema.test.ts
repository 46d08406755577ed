// Plans read from a disk: what the compiler makes passes unchanged, what came from elsewhere is refused by its path.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { completePlan, planSchema } from '../../server/experiment/planSchema.ts';
import type { Plan } from '../../server/protocol/plan.ts';
import { experimentValues } from './experimentValues.ts';

const options = { file: '/projects/first.kaf.yaml', homeFolder: '/home/user' };

function planOf(text: string): Plan {
  const [plan] = compileExperiment(text, options).plans;
  if (!plan) throw new Error('no plan');
  return plan;
}

/** Every place in a value that holds a number, a text, a flag or nothing. */
function leaves(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [[...path]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

function changed(value: unknown, [name, ...rest]: readonly string[], change: (old: unknown) => unknown): unknown {
  if (name === undefined) return change(value);
  const inner = changed((value as Record<string, unknown>)[name], rest, change);
  if (Array.isArray(value)) return value.map((item: unknown, index) => (String(index) === name ? inner : item));
  const { [name]: _, ...others } = value as Record<string, unknown>;
  return inner === undefined ? others : { ...others, [name]: inner };
}

function without(plan: Plan, path: string): unknown {
  return changed(plan, path.split('.'), () => undefined);
}

const bad: [string, unknown][] = [
  ['version', 2],
  ['name', ''],
  ['name', 7],
  ['seed', -1],
  ['seed', 0.5],
  ['runtime', 'webgpu'],
  ['threads', 0],
  ['threads', 'auto'],
  ['dataset.name', 'imagenet'],
  ['dataset.trainSamples', 0],
  ['dataset.trainSamples', 1e9],
  ['dataset.seed', 2 ** 32],
  ['model.network', 'cnn5'],
  ['model.network', { type: 'resnet', depth: 21 }],
  ['model.activation.type', 'magic'],
  ['model.activation.dictionary', 1],
  ['model.activation.gamma', 0],
  ['model.activation.gamma', Infinity],
  ['model.activation.init', { type: 'ridge', target: 'gelu', epsilon: 1e-6 }],
  ['model.activation.init.std', -0.1],
  ['model.dropout', [0.2, 0.3]],
  ['model.dropout.0', 1],
  ['model.denseL2', -1],
  ['model.normalization', { mean: [0, 0], std: [1, 1, 1] }],
  ['model.normalization', { mean: [0, 0, 0], std: [1, 0, 1] }],
  ['training.method', 'pgd'],
  ['training.threat', null],
  ['training.threat.epsilon', 8],
  ['training.epochs', 0],
  ['training.epochs', '3'],
  ['training.batchSize', 10_001],
  ['training.optimizer.type', 'rmsprop'],
  ['training.optimizer.beta1', 1],
  ['training.schedule.learningRate', Number.NaN],
  ['training.augmentation.flip', 1],
  ['observe.robustSamples', 100_000],
  ['observe.tensorboard', 'yes'],
  ['checkpoints.keep', 'none'],
  ['checkpoints.keep', { last: 0, everyEpochs: 0, best: false }],
  ['checkpoints.keep', { last: 1, everyEpochs: 0 }],
  ['evaluation.0.attack', 'square'],
  ['evaluation.0.samples', 2001],
  ['evaluation.0.steps', Infinity],
];

describe('a plan from a disk', () => {
  it('is the compiled plan, unchanged, through JSON', () => {
    fc.assert(
      fc.property(experimentValues, (values) => {
        const { plans } = compileExperiment(stringify(values), options);
        expect(plans).not.toEqual([]);
        for (const plan of plans) expect(completePlan(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
      }),
      { numRuns: 300 },
    );
  });

  it('gets the defaults of keys that are younger than it', () => {
    const { checkpoints: _, ...rest } = planOf('');
    const { tensorboard: __, ...observe } = rest.observe;
    expect(completePlan({ ...rest, observe })).toEqual(planOf(''));
    const { model, ...others } = planOf('');
    const old = { ...others, model: { ...model, activation: { type: 'k-wta', ratio: 0.2 } } };
    const asOfOld = { type: 'k-wta', ratio: 0.2, rounding: 'ceiling', over: 'layer', ties: 'all' };
    expect(completePlan(old).model.activation).toEqual(asOfOld);
    const attacked = planOf('training: {method: fgsm-rs}');
    const asName = { ...attacked, training: { ...attacked.training, method: 'fgsm-rs' } };
    expect(completePlan(asName)).toEqual(attacked);
    const clean = planOf('');
    expect(completePlan({ ...clean, training: { ...clean.training, method: 'standard' } })).toEqual(clean);
  });

  it.each(bad)('is refused with %s = %j, by its path', (path, value) => {
    const plan = planOf('training: {method: fgsm-rs}\nevaluation: [pgd]');
    expect(planSchema.safeParse(plan).success).toBe(true);
    const wrong = changed(plan, path.split('.'), () => value);
    const place = path.split('.').slice(0, 2).join('\\.');
    expect(() => completePlan(wrong)).toThrow(new RegExp(`^${place}`, 'm'));
  });

  it('is refused with any number that is none, any text in its place, and any key left out or added', () => {
    const added = [
      'observe,tensorboard',
      'observe,histogramsEverySteps',
      'observe,shiftSamples',
      'training,loss',
      'model,alphaL1',
      'model,alphaL2',
      'training,labelSmoothing',
      'device',
      'tf32',
    ];
    added.push('training,optimizer,nesterov', 'dataset,validationSamples', 'training,chooseBy');
    const ofAttacks = ['loss', 'target', 'momentum', 'epsilons', 'keep', 'seed', 'weights'];
    const mayLack = (place: readonly string[]) =>
      added.includes(String(place)) ||
      isNameOfLayer(place) ||
      isOfWinners(place) ||
      (place[0] === 'evaluation' && ofAttacks.includes(place[2] ?? ''));
    // Those of version 0.1 were the name alone.
    const isPeak = (place: readonly string[], plan: Plan | undefined) =>
      String(place) === 'training,schedule,peak' && plan?.training.schedule.type === 'triangular';
    const isOfFgsmRs = (place: readonly string[], plan: Plan | undefined) =>
      plan?.training.method.type === 'fgsm-rs' && /^training,method,(start|statistics)$/.test(String(place));
    fc.assert(
      fc.property(experimentValues, fc.nat(), (values, at) => {
        const [plan] = compileExperiment(stringify(values), options).plans;
        const places = leaves(plan);
        const place = places[at % places.length]!;
        const isAccepted = (change: (old: unknown) => unknown) =>
          planSchema.safeParse(changed(plan, place, change)).success;
        const put = (value: unknown) => isAccepted(() => value);
        expect([put(Number.NaN), put(-Infinity), put({}), put('no such word') && !isText(place)]).toEqual(
          Array(4).fill(false),
        );
        const isItem = /^\d+$/.test(place.at(-1)!);
        if (!isItem && place.length > 0)
          expect(put(undefined)).toBe(mayLack(place) || isPeak(place, plan) || isOfFgsmRs(place, plan));
        const withExtra = changed(plan, isItem ? [] : place.slice(0, -1), (old) => ({ ...(old as object), extra: 1 }));
        expect(planSchema.safeParse(withExtra).success).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('has a threat exactly where its training has an enemy', () => {
    const standard = planOf('');
    const adversarial = planOf('training: {method: fgsm-rs}');
    for (const [plan, method] of [
      [standard, 'fgsm-rs'],
      [adversarial, 'standard'],
    ] as const) {
      expect(() => completePlan(changed(plan, ['training', 'method'], () => method))).toThrow(/^training\.threat: /);
    }
  });

  it.each([null, undefined, 'plan', 3, [], {}])('is refused where it is %j', (value) => {
    expect(() => completePlan(value)).toThrow(Error);
  });

  it('says at which keys it is wrong, one a line', () => {
    const wrong = changed(without(planOf(''), 'seed'), ['training', 'epochs'], () => -1);
    const message = /^seed: .+\ntraining\.epochs: .+$/;
    expect(() => completePlan(wrong)).toThrow(message);
  });
});

/** Keys of k-WTA that came later. */
function isOfWinners(place: readonly string[]): boolean {
  return place.at(-2) === 'activation' && ['rounding', 'over', 'ties'].includes(place.at(-1)!);
}

function isNameOfLayer(place: readonly string[]): boolean {
  return place[1] === 'network' && place.at(-1) === 'name';
}

function isText(place: readonly string[]): boolean {
  return ['name', 'dataset,path'].includes(String(place)) || isNameOfLayer(place) || place.at(-1) === 'formula';
}
