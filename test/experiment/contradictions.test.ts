// Values that are right each by itself and contradict one another, and choices that are known to go wrong.
import { describe, expect, it } from 'vitest';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { issueText } from '../../server/protocol/issue.ts';
import { issuesOf, options, underlined } from './issuesOf.ts';

describe('values that contradict one another are errors', () => {
  it.each([
    ['both seed and seeds', 'seed: 1\nseeds: [1]', 'seed: expected seed or seeds, got both', '1'],
    [
      'parts of no attack',
      'evaluation: [smoothing]\nparts: 4',
      'parts: expected 1 where evaluation has no attack, got 4',
      '4',
    ],
    [
      'dropout of a network without',
      'model: {network: resnet20, dropout: [0.2]}',
      'model.dropout: expected a list of 0 rates, got a list of 1',
      '[0.2]',
    ],
    [
      'an attack by transfer from nowhere',
      'evaluation: [transfer]',
      'evaluation[0].from: expected the id of a run, or the path of a run or a checkpoint, got nothing',
      'transfer',
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
