// Experiment text → plans: defaults, computed defaults, overrides, paths, seeds. Mistakes are in issues.test.ts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { completePlan } from '../../server/experiment/planSchema.ts';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { issueText } from '../../server/protocol/issue.ts';
import type { Plan } from '../../server/protocol/plan.ts';

const options = { file: '/projects/kafnets/first.kaf.yaml', homeFolder: '/home/user' };

function planOf(text: string, overrides: Record<string, unknown> = {}): Plan {
  const { plans, issues } = compileExperiment(text, { ...options, overrides });
  expect(issues.filter((issue) => issue.severity === 'error').map(issueText)).toEqual([]);
  const plan = plans[0];
  if (!plan) throw new Error('no plan');
  return plan;
}

describe('an empty experiment', () => {
  it('compiles to a plan with every default spelled out', () => {
    expect(planOf('')).toEqual({
      version: 1,
      name: 'first',
      seed: 0,
      runtime: 'auto',
      threads: null,
      dataset: { name: 'shapes', trainSamples: 10_000, testSamples: 2000, seed: 0 },
      model: {
        network: 'light',
        activation: {
          type: 'kaf',
          dictionary: 20,
          boundary: 3,
          gamma: 1 / (6 * (6 / 19) ** 2),
          init: { type: 'normal', std: 0.3 },
        },
        dropout: [0.2, 0.3, 0.4],
        denseL2: 0.0012,
        convolutionL2: 0,
        normalization: null,
      },
      training: {
        method: { type: 'standard' },
        threat: null,
        epochs: 20,
        batchSize: 128,
        optimizer: { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
        schedule: { type: 'constant', learningRate: 0.001 },
        augmentation: { crop: 0, flip: false },
        checkpointEveryEpochs: 1,
      },
      observe: {
        normsEverySteps: 10,
        shapesEverySteps: 50,
        testEveryEpochs: 1,
        robustSamples: 256,
        robustSteps: 10,
        histogramsEverySteps: 100,
        shiftSamples: 32,
        tensorboard: true,
      },
      checkpoints: { keep: 'all' },
      evaluation: [],
    });
  });

  it('is frozen, all the way down', () => {
    const plan = planOf('');
    expect([plan, plan.model, plan.model.activation, plan.model.dropout, plan.evaluation].every(Object.isFrozen)).toBe(
      true,
    );
  });

  it('is named after its file, and "experiment" without one', () => {
    expect(compileExperiment('', { file: null, homeFolder: '/home/user' }).name).toBe('experiment');
    expect(compileExperiment('', { ...options, file: '/a/other.yml' }).name).toBe('other');
  });
});

describe('defaults that depend on other keys', () => {
  it.each([
    [
      'residual networks by name or depth, without dropout and with the penalty on all kernels',
      'model: {network: {type: resnet, depth: 44}}',
      ({ model }: Plan) => [model.network, model.dropout, model.denseL2, model.convolutionL2],
      [{ type: 'resnet', depth: 44 }, [], 5e-4, 5e-4],
    ],
    [
      'the depth in the name',
      'model: {network: resnet56}',
      ({ model }: Plan) => model.network,
      { type: 'resnet', depth: 56 },
    ],
    ['dropout by network', 'model: {network: vgg}', (plan: Plan) => plan.model.dropout, [0.2, 0.25, 0.3, 0.4]],
    [
      'threat by method',
      'training: {method: fgsm-rs}',
      (plan: Plan) => plan.training.threat,
      { norm: 'linf', epsilon: 8 / 255, stepSize: 10 / 255 },
    ],
    [
      'step of 1.25 ε',
      'training: {method: fgsm-rs, threat: {epsilon: 4/255}}',
      (plan: Plan) => plan.training.threat?.stepSize,
      5 / 255,
    ],
    [
      'step by method',
      'training: {method: n-fgsm, threat: {epsilon: 4/255}}',
      (plan: Plan) => plan.training.threat?.stepSize,
      4 / 255,
    ],
    [
      'threat by norm',
      'training: {method: pgd, threat: l2}',
      (plan: Plan) => plan.training.threat,
      { norm: 'l2', epsilon: 0.5, stepSize: 0.125 },
    ],
    [
      'settings of a method',
      'training: {method: {type: trades, beta: 3}}',
      (plan: Plan) => plan.training.method,
      { type: 'trades', beta: 3, steps: 10, noise: 0.001, statistics: 'running' },
    ],
    [
      'λ by ε',
      'training: {method: gradalign, threat: {epsilon: 16/255}}',
      (plan: Plan) => plan.training.method,
      { type: 'gradalign', lambda: 2, through: 'random', statistics: 'batch' },
    ],
    [
      'a tenth kept back where the best checkpoint is kept',
      'dataset: {name: cifar10, path: /d}\ncheckpoints: {keep: {best: true}}',
      (plan: Plan) => plan.dataset.validationSamples,
      5000,
    ],
    [
      'a tenth kept back for early stopping',
      'dataset: {name: cifar10, path: /d}\ntraining: {earlyStopping: {}}',
      (plan: Plan) => [plan.dataset.validationSamples, plan.training.earlyStopping],
      [5000, { patience: 5, minDelta: 0 }],
    ],
    [
      'what is chosen by',
      'dataset: {name: cifar10, path: /d}\ntraining: {earlyStopping: {}, chooseBy: robustAccuracy}',
      (plan: Plan) => [plan.training.chooseBy, plan.dataset.validationSamples],
      ['robustAccuracy', 5000],
    ],
    [
      'an average of the weights',
      'training: {weightAverage: {statistics: trained}}',
      (plan: Plan) => plan.training.weightAverage,
      { decay: 0.995, warmUp: true, statistics: 'trained' },
    ],
    [
      'learning rate by optimizer',
      'training: {optimizer: sgd}',
      (plan: Plan) => plan.training.schedule,
      { type: 'constant', learningRate: 0.05 },
    ],
    [
      'triangle by optimizer',
      'training: {schedule: triangular}',
      (plan: Plan) => plan.training.schedule,
      { type: 'triangular', min: 1e-4, max: 0.003, cooldownEpochs: 0 },
    ],
    [
      'residual KAF starts at zero',
      'model: {activation: residual-kaf}',
      (plan: Plan) => 'init' in plan.model.activation && plan.model.activation.init,
      { type: 'normal', std: 0 },
    ],
    [
      'attack by the thesis',
      'evaluation: [{attack: pgd}]',
      (plan: Plan) => plan.evaluation,
      [
        {
          attack: 'pgd',
          norm: 'linf',
          epsilon: 8 / 255,
          stepSize: 2 / 255,
          steps: 50,
          restarts: 10,
          loss: 'margin',
          target: 'none',
          momentum: 0,
          epsilons: [],
          samples: 1000,
          batchSize: 128,
          keep: 0,
          seed: 0,
          weights: 'averaged',
          protocol: 'worst-case',
        },
      ],
    ],
    [
      'attack by the threat',
      'training: {method: fgsm-rs, threat: {epsilon: 4/255}}\nevaluation: [pgd]',
      (plan: Plan) => plan.evaluation[0]?.epsilon,
      4 / 255,
    ],
    [
      'attacked images by those there are',
      'dataset: {name: shapes, testSamples: 100}\nevaluation: [pgd]',
      (plan: Plan) => [plan.observe.robustSamples, plan.evaluation[0]?.samples],
      [100, 100],
    ],
    [
      'batch by the images there are',
      'dataset: {name: shapes, trainSamples: 100}',
      (plan: Plan) => plan.training.batchSize,
      100,
    ],
  ])('%s', (_, text, value, expected) => {
    expect(value(planOf(text))).toEqual(expected);
  });
});

it('a cooldown leaves at least one epoch for the triangle, so that any experiment can be tried for one', () => {
  const text = 'training: {epochs: 9, schedule: {type: triangular, cooldownEpochs: 4}}';
  const cooldown = (plan: Plan) =>
    plan.training.schedule.type === 'triangular' && plan.training.schedule.cooldownEpochs;
  expect(cooldown(planOf(text))).toBe(4);
  expect(cooldown(planOf(text, { 'training.epochs': 3 }))).toBe(2);
  expect(cooldown(planOf(text, { 'training.epochs': 1 }))).toBe(0);
});

describe('values', () => {
  it.each([
    ['8/255', 8 / 255],
    ['0.5', 0.5],
    ['5e-2', 0.05],
    ['" 1 / 4 "', 0.25],
    ['.5e0/2.0', 0.25],
  ])('the number %s is %d', (written, value) => {
    expect(
      planOf(`training: {method: fgsm-rs, threat: {epsilon: ${written}, stepSize: 0.1}}`).training.threat?.epsilon,
    ).toBe(value);
  });

  it('a bare word stands for a mapping with only that word', () => {
    expect(planOf('model: {activation: swish}').model.activation).toEqual({ type: 'swish' });
    expect(planOf('dataset: cifar10').dataset).toEqual(planOf('dataset: {name: cifar10}').dataset);
  });

  it('ridge initialisation keeps its target and ε', () => {
    const { activation } = planOf('model: {activation: {type: kaf, init: {ridge: swish, epsilon: 1e-5}}}').model;
    expect(activation).toMatchObject({ init: { type: 'ridge', target: 'swish', epsilon: 1e-5 } });
  });

  it('normalisation is none, a named one, or means and deviations', () => {
    expect(planOf('model: {normalization: none}').model.normalization).toBeNull();
    expect(planOf('model: {normalization: cifar10}').model.normalization).toMatchObject({
      mean: [0.4914, 0.4822, 0.4465],
    });
    expect(planOf('model: {normalization: {mean: [0.1, 0.2, 0.3]}}').model.normalization).toEqual({
      mean: [0.1, 0.2, 0.3],
      std: [1, 1, 1],
    });
  });

  it('an anchor may be used again', () => {
    const plan = planOf('training: {epochs: &n 3}\nobserve: {norms: *n}');
    expect([plan.training.epochs, plan.observe.normsEverySteps]).toEqual([3, 3]);
  });
});

describe('paths', () => {
  it.each([
    ['~/data/cifar', '/home/user/data/cifar'],
    ['~', '/home/user'],
    ['../data', '/projects/data'],
    ['data', '/projects/kafnets/data'],
    ['/mnt/data', '/mnt/data'],
  ])('%s is %s', (written, absolute) => {
    expect(planOf(`dataset: {name: cifar10, path: "${written}"}`).dataset).toMatchObject({ path: absolute });
  });

  it('by default, CIFAR-10 is in the home folder, whole', () => {
    expect(planOf('dataset: cifar10').dataset).toEqual({
      name: 'cifar10',
      path: '/home/user/data/cifar-10-batches-bin',
      trainSamples: 50_000,
      testSamples: 10_000,
    });
  });
});

describe('seeds', () => {
  it('each make a plan of their own, alike but for the seed', () => {
    const { plans } = compileExperiment('seeds: [3, 1]', options);
    expect(plans.map((plan) => plan.seed)).toEqual([3, 1]);
    expect({ ...plans[0], seed: 1 }).toEqual(plans[1]);
  });
});

describe('overrides', () => {
  it('replace what the file says, by path', () => {
    const plan = planOf('training: {epochs: 5}\nevaluation: [{attack: pgd}, pgd]', {
      'training.epochs': 2,
      'evaluation.0.steps': 7,
      'evaluation[1].steps': 8,
      'dataset.name': 'cifar10',
    });
    expect(plan.training.epochs).toBe(2);
    expect(plan.evaluation).toMatchObject([{ steps: 7 }, { steps: 8 }]);
    expect(plan.dataset.name).toBe('cifar10');
  });

  it('go into what is a bare word in the file, or not there at all', () => {
    const plan = planOf('training: {optimizer: sgd}', {
      'training.optimizer.momentum': 0.5,
      'model.activation.dictionary': 10,
    });
    expect(plan.training.optimizer).toEqual({ type: 'sgd', momentum: 0.5, weightDecay: 0 });
    expect(plan.model.activation).toMatchObject({ type: 'kaf', dictionary: 10 });
  });

  it('given as text mean what they would mean in the file', () => {
    const plan = planOf('', { seeds: '[4]', 'model.activation': '{type: elu, alpha: 3/2}' });
    expect(plan.seed).toBe(4);
    expect(plan.model.activation).toEqual({ type: 'elu', alpha: 1.5 });
  });

  it('of null remove the key', () => {
    expect(planOf('training: {epochs: 0, batchSize: 5}', { 'training.epochs': null }).training).toMatchObject({
      epochs: 20,
      batchSize: 5,
    });
  });

  it('change one place alone, not what shares an anchor with it', () => {
    const plan = planOf('evaluation: [&a {attack: pgd, steps: 5}, *a]', { 'evaluation.1.steps': 6 });
    expect(plan.evaluation).toMatchObject([{ steps: 5 }, { steps: 6 }]);
  });

  it('that are wrong are issues with their path and a range of 0', () => {
    const overrides = {
      'training.epochs': 0,
      'training.epoks': 1,
      'name.first': 'x',
      'evaluation.3.steps': 1,
      seeds: '[',
    };
    const { plans, issues } = compileExperiment('name: a\ntraining: {epochs: 5}', { ...options, overrides });
    expect(plans).toEqual([]);
    expect(issues.map((issue) => issue.path).sort()).toEqual([
      'evaluation.3.steps',
      'name.first',
      'seeds',
      'training.epochs',
      'training.epoks',
    ]);
    const zero = { line: 0, character: 0 };
    for (const issue of issues) expect(issue.range).toEqual({ start: zero, end: zero });
  });
});

describe('an override of a text', () => {
  it.each([
    'lr sweep #3',
    '#3',
    'a: b',
    '*a',
    '&a b',
    '!tag',
    '| x',
    '> x',
    '%x',
    '@x',
    '- x',
    '[a',
    'no',
    'null',
    '~',
    '1e3',
    '0x10',
    '2026-11-29',
    '"a" and "b',
    ' a ',
  ])('is the text as it is: %s', (text) => {
    expect(planOf('', { name: text }).name).toBe(text);
    expect(planOf('dataset: cifar10', { 'dataset.path': `/data/${text}` })).toMatchObject({
      dataset: { path: `/data/${text}` },
    });
  });

  it('may be quoted as in the file', () => {
    expect(planOf('', { name: '"a # b"' }).name).toBe('a # b');
    expect(planOf('', { name: "'it''s'" }).name).toBe("it's");
  });

  it('comes back as it was given, or is refused, whatever the characters', () => {
    const text = fc.oneof(
      fc.string({ minLength: 1, maxLength: 90 }),
      fc
        .array(fc.constantFrom(...' \t\n:#-{}[],&*!|>"\'%@~?a1'), { minLength: 1, maxLength: 20 })
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (given) => {
        const { plans, issues } = compileExperiment('', { ...options, overrides: { name: given } });
        const isQuoted = /^(["']).*\1$/s.test(given);
        if (plans[0] && !isQuoted) expect(plans[0].name).toBe(given);
        if (!plans[0]) expect(issues.map((issue) => issue.severity)).toContain('error');
        if (!isQuoted && given.trim() && given.length <= 80 && !/[\u0000-\u001f\u007f]/.test(given))
          expect(plans).toHaveLength(1);
      }),
      { numRuns: 1000 },
    );
  });

  it.each(['2 # two', '[1, 2] # both', '{a: 1 # one\n}', '# nothing'])(
    'of another kind may hold no comment: %s',
    (text) => {
      const { plans, issues } = compileExperiment('', { ...options, overrides: { 'training.epochs': text } });
      expect(plans).toEqual([]);
      expect(issues.map(issueText)).toEqual([
        `training.epochs: expected a value without a comment, got ${JSON.stringify(text)}`,
      ]);
    },
  );
});

describe('one’s own data', () => {
  it('is planned with its paths from the file, and all samples where it says no number', () => {
    const at = { file: '/projects/a.kaf.yaml', homeFolder: '/home/me' };
    const planned = (text: string) => {
      const { issues, plans } = compileExperiment(text, at);
      expect(issues).toEqual([]);
      return plans[0]!;
    };
    const sizes = { trainSamples: null, testSamples: null, testShare: 0.2, seed: 0 };
    expect(planned('dataset: {name: folder, path: pics, testPath: ~/test, size: 64}').dataset).toEqual({
      ...{ name: 'folder', path: '/projects/pics', testPath: '/home/me/test', size: 64, colors: 'rgb', ...sizes },
    });
    const table = planned('dataset: {name: table, path: a.csv, label: kind, separator: tab, validationSamples: 5}');
    expect(table.dataset).toEqual({
      ...{
        name: 'table',
        path: '/projects/a.csv',
        testPath: null,
        label: 'kind',
        separator: '\t',
        validationSamples: 5,
      },
      ...sizes,
    });
    expect([table.training.batchSize, table.observe.robustSamples]).toEqual([128, 256]);
    expect(planned('dataset: {name: arrays, path: a.npz, x: images}').dataset).toEqual({
      ...{
        name: 'arrays',
        path: '/projects/a.npz',
        x: 'images',
        y: 'y_train',
        xTest: 'x_test',
        yTest: 'y_test',
        ...sizes,
      },
    });
    expect(planned('dataset: {name: cifar100, path: c, labels: coarse}').dataset).toEqual({
      ...{ name: 'cifar100', path: '/projects/c', labels: 'coarse', trainSamples: 50_000, testSamples: 10_000 },
    });
    expect(planned('dataset: {name: susy, path: s, trainSamples: 100}').dataset).toEqual({
      ...{ name: 'susy', path: '/projects/s', trainSamples: 100, testSamples: null },
    });
  });

  it('is a plan that a run’s folder may hold', () => {
    for (const name of ['folder', 'table', 'arrays', 'mnist', 'fashion-mnist', 'cifar100', 'sensorless', 'susy']) {
      const { plans } = compileExperiment(`dataset: {name: ${name}}`, { file: null, homeFolder: '/home/me' });
      expect(completePlan(JSON.parse(JSON.stringify(plans[0])))).toEqual(plans[0]);
    }
  });
});
