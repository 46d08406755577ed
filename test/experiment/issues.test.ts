// Every mistake in an experiment: its sentence, its place in the text, and what to do about it.
import { describe, expect, it } from 'vitest';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { issueText } from '../../server/protocol/issue.ts';
import { torchDeviceNames } from '../../server/protocol/plan.ts';
import { issuesOf, options, underlined } from './issuesOf.ts';

/** As a sentence lists them. */
const torchDevices = `"${torchDeviceNames.slice(0, -1).join('", "')}" or "${torchDeviceNames.at(-1)!}"`;
const topKeys =
  'name, dataset, model, training, observe, checkpoints, evaluation, seed, seeds, matrix, parts, runtime, threads';

const networks = '"light", "vgg", "resnet", "preact-resnet18", "cnn5", "mlp", "resnet20", "resnet56" or "layers"';
const layers =
  'one of conv, dense, activation, batch-norm, layer-norm, group-norm, dropout, max-pool, …, or a mapping with one of them';

describe('an error is told by path, expected and got, and underlined where it is', () => {
  it.each([
    [
      'a word for a number',
      'training: {epochs: many}',
      'training.epochs: expected an integer in [1, 10000], got "many"',
      'many',
    ],
    [
      'a word for a fraction',
      'training: {method: fgsm-rs, threat: {epsilon: fast}}',
      'training.threat.epsilon: expected a number in (0, 1], got "fast"',
      'fast',
    ],
    [
      'a broken number',
      'training: {epochs: 1/2}',
      'training.epochs: expected an integer in [1, 10000], got "1/2"',
      '1/2',
    ],
    ['below the range', 'training: {epochs: 0}', 'training.epochs: expected an integer in [1, 10000], got 0', '0'],
    [
      'above the range',
      'training: {epochs: 1e6}',
      'training.epochs: expected an integer in [1, 10000], got 1e6',
      '1e6',
    ],
    ['at an excluded end', 'model: {dropout: [0, 0, 1]}', 'model.dropout[2]: expected a number in [0, 1), got 1', '1'],
    ['division by zero', 'model: {denseL2: 1/0}', 'model.denseL2: expected a number in [0, 10], got "1/0"', '1/0'],
    ['infinity', 'model: {denseL2: .inf}', 'model.denseL2: expected a number in [0, 10], got .inf', '.inf'],
    ['not a number', 'model: {denseL2: .nan}', 'model.denseL2: expected a number in [0, 10], got .nan', '.nan'],
    ['not whole', 'training: {epochs: 1.5}', 'training.epochs: expected an integer in [1, 10000], got 1.5', '1.5'],
    ['a list for a number', 'seed: [1]', 'seed: expected an integer in [0, 4294967295], got a list', '[1]'],
    ['a number for a text', 'name: 2020', 'name: expected a text of 1 to 80 characters, got 2020', '2020'],
    ['an empty text', 'name: ""', 'name: expected a text of 1 to 80 characters, got ""', '""'],
    [
      'a text for a flag',
      'training: {augmentation: {flip: "yes"}}',
      'training.augmentation.flip: expected true or false, got "yes"',
      '"yes"',
    ],
    ['too few threads', 'threads: 0', 'threads: expected "auto" or an integer in [1, 256], got 0', '0'],
    [
      'no value',
      'model:\n  network:\n',
      `model.network: expected ${networks}, or a mapping with type, got nothing`,
      'network',
    ],
    [
      'an unknown word',
      'runtime: gpu',
      'runtime: expected "auto", "wasm", "torch", "tensorflow" or "cpu", or a mapping with type, got "gpu"',
      'gpu',
    ],
    [
      'a device that there is not',
      'runtime: {type: torch, device: gpu}',
      `runtime.device: expected "auto", ${torchDevices}, got "gpu"`,
      'gpu',
    ],
    [
      'a device of a runtime that has none',
      'runtime: {type: wasm, device: cuda}',
      'runtime.device: expected one of the keys type, got the unknown key "device"',
      'device',
    ],
    ['an unknown key', 'sead: 1', `sead: expected one of the keys ${topKeys}, got the unknown key "sead"`, 'sead'],
    [
      'a key of another variant',
      'training: {optimizer: {type: sgd, beta1: 0.9}}',
      'training.optimizer.beta1: expected one of the keys type, momentum, weightDecay, nesterov, got the unknown key "beta1"',
      'beta1',
    ],
    ['a key twice', 'seed: 1\nname: a\nseed: 2', 'seed: expected each key once, got "seed" again', 'seed'],
    [
      'a scalar for the whole',
      'train',
      `expected a mapping with ${topKeys.replace(', seeds, matrix, parts, runtime, threads', ', …')}, got "train"`,
      'train',
    ],
    [
      'a scalar for a group',
      'model: vgg',
      'model: expected a mapping with network, activation, initializer, dropout, denseL2, convolutionL2, alphaL1, alphaL2, …, got "vgg"',
      'vgg',
    ],
    [
      'a number for a variant',
      'model: {activation: 3}',
      'model.activation: expected "kaf", "residual-kaf", "kaf-free", "multi-kaf", "kaf-2d", "relu" or one of 28 more, or a mapping with type, got 3',
      '3',
    ],
    [
      'a variant told by no key',
      'model: {activation: {type: kaf, init: {uniform: 1}}}',
      'model.activation.init: expected one of normal, ridge, or a mapping with one of them, got uniform',
      'uniform',
    ],
    [
      'both variants at once',
      'model: {activation: {type: kaf, init: {normal: 1, ridge: elu}}}',
      'model.activation.init.ridge: expected one of the keys normal, got the unknown key "ridge"',
      'ridge',
    ],
    ['too long a list', 'seeds: []', 'seeds: expected a list of 1 to 100 items, all different, got a list of 0', '[]'],
    [
      'a repeated seed',
      'seeds: [1, 2, 1]',
      'seeds[2]: expected a list of 1 to 100 items, all different, got 1 again',
      '1',
    ],
    [
      'more channels than anybody has',
      'model: {normalization: {mean: [1, 1, 1, 1, 1]}}',
      'model.normalization.mean: expected a list of 1 to 4 items, got a list of 5',
      '[1, 1, 1, 1, 1]',
    ],
    [
      'means of other channels than the samples have',
      'model: {normalization: {mean: [0.5], std: [1, 1, 1]}}',
      'model.normalization.mean: expected 3 values, one for each channel, got 1',
      '[0.5]',
    ],
    [
      'a network that nobody has',
      'model: {network: alexnet}',
      `model.network: expected ${networks}, or a mapping with type, got "alexnet"`,
      'alexnet',
    ],
    [
      'a layer that nobody has',
      'model: {network: {layers: [conv: 8, batchnorm]}}',
      `model.network.layers[1]: expected ${layers}, got "batchnorm"`,
      'batchnorm',
    ],
    [
      'a wrong number of a layer inside of others',
      'model: {network: {layers: [repeat: {times: 2, layers: [conv: {chanels: 8}]}]}}',
      'model.network.layers[0].repeat.layers[0].conv.chanels: expected one of the keys channels, size, stride, padding, bias, initializer, name, got the unknown key "chanels"',
      'chanels',
    ],
    [
      'a later runtime',
      'runtime: webgpu',
      'runtime: expected "auto", "wasm", "torch", "tensorflow" or "cpu", or a mapping with type, got "webgpu"',
      'webgpu',
    ],
    [
      'a norm that a method does not know',
      'training: {method: fgsm-rs, threat: {norm: l2}}',
      'training.threat.norm: expected linf with method fgsm-rs, got l2',
      'l2',
    ],
    [
      'a setting of another method',
      'training: {method: {type: pgd, beta: 6}}',
      'training.method.beta: expected one of the keys type, steps, start, statistics, got the unknown key "beta"',
      'beta',
    ],
    [
      'early stopping by nothing',
      'dataset: {name: shapes, validationSamples: 0}\ntraining: {earlyStopping: {}}',
      'training.earlyStopping: expected samples kept back with early stopping, got none',
      '{}',
    ],
    [
      'a choice by nothing',
      'training: {chooseBy: loss}',
      'training.chooseBy: expected samples kept back to choose by, got none',
      'loss',
    ],
    [
      'a choice by an attack of nothing',
      'dataset: {name: shapes, validationSamples: 9}\nobserve: {robustSamples: 0}\ntraining: {chooseBy: robustAccuracy}',
      'training.chooseBy: expected samples that tests attack, got observe.robustSamples 0',
      'robustAccuracy',
    ],
    [
      'TRADES without probabilities',
      'training: {method: trades, loss: least-squares}',
      'training.loss: expected cross-entropy with method trades, got least-squares',
      'least-squares',
    ],
  ])('%s', (_, text, sentence, place) => {
    const { issues, plans } = compileExperiment(text, options);
    expect(issues.map(issueText)).toEqual([sentence]);
    expect(issues.map((issue) => issue.severity)).toEqual(['error']);
    expect(issues.map((issue) => underlined(text, issue))).toEqual([place]);
    expect(plans).toEqual([]);
  });
});

describe('the remedy', () => {
  it.each([
    ['names the nearest key', 'training: {optimzer: adam}', 'Did you mean optimizer?'],
    ['names the nearest word', 'model: {activation: {type: kfa}}', 'Did you mean kaf?'],
    ['names the nearest of bare words', 'model: {activation: swihs}', 'Did you mean swish?'],
    [
      'turns pixel units of 255 into a fraction',
      'training: {method: fgsm-rs, threat: {epsilon: 8}}',
      'Lengths are in pixel values of [0, 1], not of [0, 255]. Did you mean 8/255?',
    ],
    [
      'says that something comes later',
      'runtime: webgpu',
      '"webgpu" (Any GPU through WebGPU) is not in this version of Kafscope yet.',
    ],
    ['says where a key belongs', 'epochs: 3', '"epochs" belongs under training: check the indentation.'],
    ['says that a tab is no indentation', 'training:\n\tepochs: 3', 'Replace the tab by spaces.'],
    [
      'says what a keep rate would be as a drop rate',
      'model: {dropout: [0.8, 0, 0]}',
      'This is the share of units dropped, not kept: did you mean 0.2?',
    ],
  ])('%s', (_, text, remedy) => {
    expect(issuesOf(text).map((issue) => issue.remedy)).toContain(remedy);
  });
});

describe('text that is no YAML', () => {
  it.each([
    ['an open bracket', 'training: {epochs: 3'],
    ['an open quote', 'name: "a'],
    ['a tab', 'training:\n\tepochs: 3'],
    ['crooked lines', 'training:\n  epochs: 3\n batchSize: 4'],
    ['a forgotten colon', 'training:\n  epochs\n  batchSize: 4'],
    ['two documents', 'seed: 1\n---\nseed: 2'],
    ['a tag', 'seed: !!js/function "x"'],
    ['an alias of nothing', 'seed: *a'],
    ['brackets without end', '['.repeat(20_000)],
  ])('%s is an error in the text, with a range that is not empty', (_, text) => {
    const { issues, plans } = compileExperiment(text, options);
    const first = issues.find((issue) => issue.severity === 'error');
    expect(first?.remedy).toMatch(/\.$/);
    expect(issues.some((issue) => underlined(text, issue).length > 0) || text.length > 10_000).toBe(true);
    expect(plans).toEqual([]);
  });

  it('a text of more than 65,536 characters is one error, and nothing of it is read', () => {
    const longest = `epochs: 1\n${'# of no use\n'.repeat(6_000)}`.slice(0, 65_536);
    expect(issuesOf(longest).map(({ path }) => path)).toEqual(['epochs']);
    expect(issuesOf(`${longest}\n`).map(issueText)).toEqual([
      'expected at most 65536 characters, got 65537 characters',
    ]);
  });

  it('a text of more than 16,000 words and signs is one error, however few characters it has', () => {
    const long = 'a, '.repeat(4_000);
    expect(issuesOf(`seeds: [${long}]`).map(({ path }) => path)).toContain('seeds');
    for (const hostile of [
      '['.padEnd(65_000, ','),
      'a: 1\n'.repeat(13_000),
      '%a\n'.repeat(21_000),
      `seeds: [${long}${long}]`,
    ]) {
      const issues = issuesOf(hostile);
      expect(issues).toHaveLength(1);
      expect(issues[0]).toMatchObject({ expected: 'at most 16000 words and signs', got: 'more' });
    }
  });

  it('repetitions of repetitions are refused at their place, and not written out', () => {
    const inner = 'repeat: {times: 1000, layers: [repeat: {times: 1000, layers: [activation]}]}';
    const [issue, ...others] = issuesOf(
      `model: {network: {layers: [conv, repeat: {times: 1000, layers: [${inner}]}, flatten, dense]}}`,
    );
    expect(others).toEqual([]);
    expect(issue).toMatchObject({ severity: 'error', expected: 'at most 20000 layers', got: 'more than 20000' });
  });

  it('many mistakes of syntax are told up to a hundred, each in its line', () => {
    const lines = issuesOf('}\n'.repeat(5000)).map(({ range }) => range.start.line);
    expect(lines).toHaveLength(100);
    expect(lines.slice(0, 3)).toEqual([0, 1, 2]);
  });

  it('an alias inside its own anchor is an error, not an endless loop', () => {
    expect(issuesOf('training: &t {epochs: 2, optimizer: *t}').length).toBeGreaterThan(0);
  });
});

it('an issue stays short, however long what was found', () => {
  for (const text of [`${'k'.repeat(5000)}: 1`, `name: ${'n'.repeat(5000)}`, `runtime: ${'r'.repeat(5000)}`]) {
    expect(issuesOf(text).map(issueText).join().length).toBeLessThan(450);
  }
});

it('issues come in the order of the text, whatever found them', () => {
  const issues = issuesOf(
    'seed: -1\nmodel: {network: vgg, dropout: [0.1]}\nevaluation: [{attack: pgd, samples: 1.5}]\nepochs: 1',
  );
  expect(issues.map((issue) => issue.path)).toEqual(['seed', 'model.dropout', 'evaluation[0].samples', 'epochs']);
});
