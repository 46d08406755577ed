// Every mistake in an experiment: its sentence, its place in the text, and what to do about it.
import { describe, expect, it } from 'vitest';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { issueText } from '../../server/protocol/issue.ts';
import { torchDeviceNames } from '../../server/protocol/plan.ts';
import type { ExperimentIssue } from '../../server/protocol/issue.ts';

const options = { file: '/projects/first.kaf.yaml', homeFolder: '/home/user' };

function issuesOf(text: string): readonly ExperimentIssue[] {
  return compileExperiment(text, options).issues;
}

/** The part of the text that an issue underlines. */
function underlined(text: string, { range }: ExperimentIssue): string {
  const lines = text.split('\n').slice(range.start.line, range.end.line + 1);
  const last = lines.length - 1;
  lines[last] = (lines[last] ?? '').slice(0, range.end.character);
  lines[0] = (lines[0] ?? '').slice(range.start.character);
  return lines.join('\n');
}

/** As a sentence lists them. */
const torchDevices = `"${torchDeviceNames.slice(0, -1).join('", "')}" or "${torchDeviceNames.at(-1)!}"`;
const topKeys = 'name, dataset, model, training, observe, checkpoints, evaluation, seed, seeds, runtime, threads';

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
      `expected a mapping with ${topKeys.replace(', seeds, runtime, threads', ', …')}, got "train"`,
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
      'TRADES without probabilities',
      'training: {method: trades, loss: least-squares}',
      'training.loss: expected cross-entropy with method trades, got least-squares',
      'least-squares',
    ],
    ['a later key', 'matrix: {seed: [1]}', 'matrix: expected keys of this version, got "matrix"', 'matrix'],
  ])('%s', (_, text, sentence, place) => {
    const { issues, plans } = compileExperiment(text, options);
    expect(issues.map(issueText)).toEqual([sentence]);
    expect(issues.map((issue) => issue.severity)).toEqual(['error']);
    expect(issues.map((issue) => underlined(text, issue))).toEqual([place]);
    expect(plans).toEqual([]);
  });
});

describe('values that contradict one another are errors', () => {
  it.each([
    ['both seed and seeds', 'seed: 1\nseeds: [1]', 'seed: expected seed or seeds, got both', '1'],
    [
      'dropout of a network without',
      'model: {network: resnet20, dropout: [0.2]}',
      'model.dropout: expected a list of 0 rates, got a list of 1',
      '[0.2]',
    ],
    [
      'a depth that no residual network has',
      'model: {network: {type: resnet, depth: 18}}',
      'model.network.depth: expected a depth of 6n + 2, got 18',
      '18',
    ],
    [
      'dropout of another network',
      'model: {network: vgg, dropout: [0.2, 0.3, 0.4]}',
      'model.dropout: expected a list of 4 rates, got a list of 3',
      '[0.2, 0.3, 0.4]',
    ],
    [
      'a batch larger than the data set',
      'dataset: {name: shapes, trainSamples: 100}\ntraining: {batchSize: 101}',
      'training.batchSize: expected at most the 100 training samples, got 101',
      '101',
    ],
    [
      'more samples kept back than there are',
      'dataset: {name: shapes, trainSamples: 100, validationSamples: 100}',
      'dataset.validationSamples: expected less than the training samples (100), got 100',
      '100',
    ],
    [
      'a batch larger than what is not kept back',
      'dataset: {name: shapes, trainSamples: 100, validationSamples: 40}\ntraining: {batchSize: 61}',
      'training.batchSize: expected at most the 60 training samples, got 61',
      '61',
    ],
    [
      'a table that is mirrored',
      'dataset: {name: table, path: x.csv}\ntraining: {augmentation: {flip: true}}',
      'training.augmentation.flip: expected no augmentation with table, got true',
      'true',
    ],
    [
      'more images than CIFAR-10 has',
      'dataset: {name: cifar10, trainSamples: 60000}',
      'dataset.trainSamples: expected an integer in [1, 50000], got 60000',
      '60000',
    ],
    [
      'more attacked than tested images',
      'dataset: {name: shapes, testSamples: 500}\nevaluation:\n  - {attack: pgd, samples: 501}',
      'evaluation[0].samples: expected at most the 500 test samples, got 501',
      '501',
    ],
    [
      'more observed than tested images',
      'dataset: {name: shapes, testSamples: 50}\nobserve: {robustSamples: 51}',
      'observe.robustSamples: expected at most the 50 test samples, got 51',
      '51',
    ],
    [
      'a share of winners that is lowered to more',
      'model: {activation: {type: k-wta, ratio: 0.1, lowering: {}}}',
      'model.activation.lowering.to: expected below the ratio (0.1), got 0.15',
      '{}',
    ],
    [
      'a parameter of a formula that starts below its bounds',
      'model: {activation: {type: formula, formula: x + b, parameters: {b: {start: 1, min: 2}}}}',
      'model.activation.parameters.b: expected a start between min and max (2 to ∞), got 1',
      '{start: 1, min: 2}',
    ],
    [
      'a parameter of a formula that starts above its bounds',
      'model: {activation: {type: formula, formula: x + b, parameters: {b: {start: 1, max: 0.5}}}}',
      'model.activation.parameters.b: expected a start between min and max (−∞ to 0.5), got 1',
      '{start: 1, max: 0.5}',
    ],
    [
      'an SReLU whose sides overlap',
      'model: {activation: {type: srelu, left: 2}}',
      'model.activation.left: expected at most right (1), got 2',
      '2',
    ],
    [
      'a dense layer on a feature map',
      'model: {network: {layers: [conv: 8, dense]}}',
      'model.network.layers[1]: expected units [n] before a dense layer, got [32, 32, 8]',
      'dense',
    ],
    [
      'a sum that does not fit, over many lines: its first',
      'model:\n  network:\n    layers:\n      - conv: 4\n      - residual: # ways\n          branch:\n            - conv: 8\n      - flatten\n      - dense',
      "model.network.layers[1]: expected a skip of the branch's shape [32, 32, 8], got [32, 32, 4]",
      'residual:',
    ],
    [
      'binary cross-entropy of ten classes',
      'training: {loss: binary-cross-entropy}',
      'training.loss: expected a loss of so many classes, got binary-cross-entropy',
      'binary-cross-entropy',
    ],
    [
      'too few values at the end',
      'model: {network: {layers: [flatten, dense: 7]}}',
      'model.network.layers[1]: expected [10], a value for each class, from the last layer, got [7]',
      'dense: 7',
    ],
    [
      'a residual sum of two shapes',
      'model: {network: {layers: [conv: 4, residual: {branch: [conv: 8]}, global-average-pool, dense]}}',
      "model.network.layers[1]: expected a skip of the branch's shape [32, 32, 8], got [32, 32, 4]",
      'residual: {branch: [conv: 8]}',
    ],
    [
      'ways of two sizes side by side',
      'model: {network: {layers: [concat: [[conv: 4], [conv: 4, max-pool]], global-average-pool, dense]}}',
      'model.network.layers[0].concat[1]: expected the height and width of the first way, [32, 32, 4], got [16, 16, 4]',
      '[conv: 4, max-pool]',
    ],
    [
      'a window larger than its map',
      'model: {network: {layers: [max-pool: 8, conv: {channels: 4, size: 5, padding: valid}, flatten, dense]}}',
      'model.network.layers[1]: expected a map of at least 5×5 for conv without padding, got [4, 4, 3]',
      'conv: {channels: 4, size: 5, padding: valid}',
    ],
    [
      'groups that do not divide the channels',
      'model: {network: {layers: [conv: 6, group-norm: 4, flatten, dense]}}',
      'model.network.layers[1]: expected a divisor of 6 channels, got 4',
      'group-norm: 4',
    ],
    [
      'a convolution of units',
      'model: {network: {layers: [flatten, conv: 6, dense]}}',
      'model.network.layers[1]: expected [height, width, channels] before conv, got [3072]',
      'conv: 6',
    ],
    [
      'a name of two layers',
      'model: {network: {layers: [repeat: {times: 2, layers: [conv: {name: a}]}, flatten, dense]}}',
      'model.network.layers[0].repeat.layers[0]: expected a name that no other layer has, got "a"',
      'conv: {name: a}',
    ],
    [
      'maxout without a linear layer before it',
      'model: {network: {layers: [activation: maxout, flatten, dense]}}',
      'model.network.layers[0]: expected a convolution, dense layer or sum with normalisations alone between it and maxout, whose maps it makes, got the sample',
      'activation: maxout',
    ],
    [
      'a two-dimensional KAF without a linear layer before it',
      'model: {network: {layers: [activation: kaf-2d, flatten, dense]}}',
      'model.network.layers[0]: expected a convolution, dense layer or sum with normalisations alone between it and kaf-2d, whose pairs it makes, got the sample',
      'activation: kaf-2d',
    ],
    [
      'no layers at all',
      'model: {network: {layers: []}}',
      'model.network.layers: expected layers, the last of them "dense: classes", got none',
      '[]',
    ],
    [
      'a repetition of nothing',
      'model: {network: {layers: [repeat, flatten, dense]}}',
      'model.network.layers[0]: expected layers in repeat, got none',
      'repeat',
    ],
    [
      'drop rates beside declared layers',
      'model: {network: {layers: [flatten, dense]}, dropout: [0.1]}',
      'model.dropout: expected a list of 0 rates, got a list of 1',
      '[0.1]',
    ],
    [
      'a maxout of one map',
      'model: {activation: {type: maxout, maps: 1}}',
      'model.activation.maps: expected an integer in [2, 16], got 1',
      '1',
    ],
    [
      'a spline of fewer control points than a span has',
      'model: {activation: {type: spline, points: 3}}',
      'model.activation.points: expected an integer in [4, 256], got 3',
      '3',
    ],
    [
      'a triangle upside down',
      'training: {schedule: {type: triangular, min: 0.1, max: 0.01}}',
      'training.schedule.min: expected at most max (0.01), got 0.1',
      '0.1',
    ],
  ])('%s', (_, text, sentence, place) => {
    const { issues, plans } = compileExperiment(text, options);
    expect(issues.map(issueText)).toEqual([sentence]);
    expect(issues.map((issue) => underlined(text, issue))).toEqual([place]);
    expect(plans).toEqual([]);
  });

  it('and are not told where they only follow from another mistake', () => {
    expect(
      issuesOf('dataset: {name: cifr10}\nevaluation: [{attack: pgd, samples: 9000}]').map((issue) => issue.path),
    ).toEqual(['dataset.name']);
  });
});

describe('a choice that is known to go wrong is a warning, and still makes a plan', () => {
  it.each([
    ['a threat in standard training', 'training: {threat: {epsilon: 8/255}}', 'training.threat'],
    ['a keep rate for a drop rate (I-19)', 'model: {dropout: [0.8, 0.3, 0.4]}', 'model.dropout[0]'],
    ['a ridge start as ReLU', 'model: {activation: {type: kaf, init: {ridge: relu}}}', 'model.activation.init.ridge'],
    [
      'a ridge start of a residual KAF',
      'model: {activation: {type: residual-kaf, init: {ridge: elu}}}',
      'model.activation.init',
    ],
    ['kernels narrower than their spacing', 'model: {activation: {type: kaf, gamma: 1000}}', 'model.activation.gamma'],
    ['a width of kernels without one', 'model: {activation: {kernel: relu, gamma: 1}}', 'model.activation.gamma'],
    [
      'hinges that can’t start below 0',
      'model: {activation: {kernel: relu, init: {ridge: identity}}}',
      'model.activation.init.ridge',
    ],
    ['a penalty on coefficients that there are not', 'model: {activation: relu, alphaL2: 0.1}', 'model.alphaL2'],
    ['free kernels all alike', 'model: {activation: {type: kaf-free, gamma: 0.001}}', 'model.activation.gamma'],
    [
      'a step without a gradient',
      'model: {activation: {type: step, straightThrough: 0}}',
      'model.activation.straightThrough',
    ],
    ['kernels all alike', 'model: {activation: {type: kaf, gamma: 0.001}}', 'model.activation.gamma'],
    [
      'ELU with a corner in adversarial training',
      'model: {activation: {type: elu, alpha: 2}}\ntraining: {method: fgsm-rs}',
      'model.activation.alpha',
    ],
    [
      'a step that ends in catastrophic overfitting',
      'training: {method: fgsm-rs, threat: {epsilon: 8/255, stepSize: 16/255}}',
      'training.threat.stepSize',
    ],
    ['FGSM from the image itself at 8/255', 'training: {method: fgsm, threat: {epsilon: 8/255}}', 'training.method'],
    [
      'steps that cannot cross the ball in training',
      'training: {method: {type: pgd, steps: 3}, threat: {stepSize: 2/255}}',
      'training.threat.stepSize',
    ],
    ['an ε that leaves no image', 'training: {method: fgsm-rs, threat: {epsilon: 0.6}}', 'training.threat.epsilon'],
    [
      'an attack that cannot cross the ball',
      'evaluation: [{attack: pgd, steps: 3, stepSize: 2/255}]',
      'evaluation[0].stepSize',
    ],
    ['an attack that only meets corners', 'evaluation: [{attack: pgd, stepSize: 20/255}]', 'evaluation[0].stepSize'],
    [
      'a cooldown as long as the training',
      'training: {epochs: 5, schedule: {type: triangular, cooldownEpochs: 5}}',
      'training.schedule.cooldownEpochs',
    ],
    [
      'a learning rate for another optimizer',
      'training: {schedule: {type: constant, learningRate: 0.1}}',
      'training.schedule.learningRate',
    ],
  ])('%s', (_, text, path) => {
    const { issues, plans } = compileExperiment(text, options);
    expect(issues.map(({ severity, path: found }) => [severity, found])).toEqual([['warning', path]]);
    expect(plans).toHaveLength(1);
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
    const longest = `epochs: 1\n${'# \n'.repeat(30_000)}`.slice(0, 65_536);
    expect(issuesOf(longest).map(({ path }) => path)).toEqual(['epochs']);
    expect(issuesOf(`${longest}\n`).map(issueText)).toEqual([
      'expected at most 65536 characters, got 65537 characters',
    ]);
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
    expect(issuesOf(text).map(issueText).join().length).toBeLessThan(400);
  }
});

it('issues come in the order of the text, whatever found them', () => {
  const issues = issuesOf(
    'seed: -1\nmodel: {network: vgg, dropout: [0.1]}\nevaluation: [{attack: pgd, samples: 1.5}]\nepochs: 1',
  );
  expect(issues.map((issue) => issue.path)).toEqual(['seed', 'model.dropout', 'evaluation[0].samples', 'epochs']);
});
