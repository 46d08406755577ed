import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { countParameters } from '../../server/model/countParameters.ts';
import type { BatchStatistics, Pass } from '../../server/model/layer.ts';
import { winnersRatio } from '../../server/model/activation.ts';
import { activationFunction } from '../../server/formula/activationFunction.ts';
import { buildNetwork, type Network } from '../../server/model/network.ts';
import { dictionaryElements, fitRidge, fitRidge2d } from '../../server/formula/ridge.ts';
import { fitPade } from '../../server/formula/fitPade.ts';
import { startTargets } from '../../server/formula/startTargets.ts';
import type { ActivationPlan, KafPlan, ModelPlan, NetworkPlan, SplinePlan } from '../../server/protocol/plan.ts';
import { openCpu } from '../trainer/tinyPlan.ts';

beforeAll(openCpu);

const kaf: KafPlan = {
  type: 'kaf',
  dictionary: 20,
  boundary: 3,
  gamma: 361 / 216,
  init: { type: 'normal', std: 0.3 },
};

const splineOfSix = {
  type: 'spline',
  points: 6,
  boundary: 2.5,
  basis: 'catmull-rom',
  start: 'tanh',
  noise: 0,
} as const satisfies SplinePlan;

const resnet20 = { type: 'resnet', depth: 20 } as const;
const resnet56 = { type: 'resnet', depth: 56 } as const;

function planOf(network: NetworkPlan, activation: ActivationPlan): ModelPlan {
  const dropout = network === 'light' ? [0.2, 0.3, 0.4] : [0.2, 0.25, 0.3, 0.4];
  return { network, activation, dropout, denseL2: 0, convolutionL2: 0, normalization: null };
}

const inInference: Pass = { mode: 'inference', key: null, gradients: 'all', batchStatistics: null };

let built: Network[] = [];

function build(plan: ModelPlan, { side = 32, seed = 1 }: { side?: number; seed?: number } = {}): Network {
  const network = buildNetwork(plan, { sampleShape: [side, side, 3], nClasses: 10, seed });
  built.push(network);
  return network;
}

afterEach(() => {
  for (const network of built) network.dispose();
  built = [];
  expect(tf.memory().numTensors).toBe(0);
});

describe('buildNetwork', () => {
  // The thesis's counts are Keras's, which include the running statistics.
  it.each([
    ['light', { type: 'relu' }, 75_946],
    ['vgg', { type: 'relu' }, 552_362],
    ['vgg', kaf, 552_362 + 11_520],
    ['light', { ...kaf, dictionary: 16 }, 75_946 + 5_120],
    [resnet20, { type: 'relu' }, 294_922],
    [resnet20, kaf, 294_922 + 13_760],
    [resnet56, { type: 'relu' }, 882_250],
    [resnet56, kaf, 882_250 + 40_640],
  ] as const)('gives %o with %o the parameters of the thesis', (name, activation, count) => {
    const { trainable, statistics } = countParameters(build(planOf(name, activation)));
    expect(trainable + statistics).toBe(count);
  });

  it('names parameters by layer, in the order of the forward pass', () => {
    const { parameters, statistics, activations } = build(planOf('light', kaf));
    const block = (n: number) => [`conv${n}.kernel`, `conv${n}.bias`, `bn${n}.gamma`, `bn${n}.beta`, `kaf${n}.alpha`];
    expect(parameters.map(({ name }) => name)).toEqual([
      ...[1, 2, 3, 4].flatMap(block),
      ...['dense1.kernel', 'dense1.bias', 'kaf5.alpha', 'dense2.kernel', 'dense2.bias'],
    ]);
    expect(statistics.map(({ name }) => name)).toEqual([1, 2, 3, 4].flatMap((n) => [`bn${n}.mean`, `bn${n}.variance`]));
    expect(activations.map(({ layer, channels }) => [layer, channels])).toEqual([
      ['kaf1', 32],
      ['kaf2', 32],
      ['kaf3', 64],
      ['kaf4', 64],
      ['kaf5', 128],
    ]);
  });

  it('trains dictionary and bandwidth of a free KAF, a channel its own, from those of the plan', () => {
    const network = build(planOf('light', { ...kaf, type: 'kaf-free' }));
    const names = network.parameters.filter(({ layer }) => layer === 'kaf2').map(({ name }) => name);
    expect(names).toEqual(['kaf2.alpha', 'kaf2.dictionary', 'kaf2.logGamma']);
    const elements = Float32Array.from(dictionaryElements({ size: 20, boundary: 3, gamma: 1 }));
    const dictionary = valuesOf(network, 'kaf2.dictionary');
    expect(dictionary).toHaveLength(32 * 20);
    expect(dictionary.slice(31 * 20)).toEqual(elements);
    expect(valuesOf(network, 'kaf2.logGamma')).toEqual(new Float32Array(32).fill(Math.log(361 / 216)));
    // 2D + 1 coefficients a channel (reference I-25), over 320 channels.
    const { trainable } = countParameters(network);
    expect(trainable - countParameters(build(planOf('light', { type: 'relu' }))).trainable).toBe(320 * 41);
  });

  it.each([
    [{ type: 'prelu', slope: 0.1 }, [0.1]],
    [{ type: 'generalized-tanh', scale: 3, rate: 2 }, [3, 2]],
    [{ type: 'srelu', left: -1, leftSlope: 0.2, right: 1, rightSlope: 0.5 }, [-1, 0.2, 1, 0.5]],
    [{ type: 'apl', hinges: 3, reach: 2 }, [0, 0, 0, -2, 0, 2]],
    [{ type: 'apl', hinges: 1, reach: 2 }, [0, 0]],
    [{ type: 'polynomial', degree: 3 }, [0, 1, 0, 0]],
  ] as const)('starts every channel of %o at the same coefficients', (activation, start) => {
    const network = build(planOf('light', activation));
    const coefficients = valuesOf(network, `${activation.type}5.coefficients`);
    expect(coefficients).toHaveLength(128 * start.length);
    expect(coefficients.slice(-start.length)).toEqual(Float32Array.from(start));
    const { formula } = activationFunction(activation);
    expect(network.activations).toHaveLength(5);
    expect(network.activations[4]).toEqual({ layer: `${activation.type}5`, channels: 128, formula: formula.text });
  });

  it('starts a Padé unit at its fit, with noise that differs between channels', () => {
    const pade = { type: 'pade', start: 'swish', noise: 0 } as const;
    const { a, b } = fitPade(startTargets.swish.at);
    const clean = valuesOf(build(planOf('light', pade)), 'pade5.coefficients');
    expect(clean).toHaveLength(128 * 10);
    expect(clean.slice(-10)).toEqual(Float32Array.from([...a, ...b]));
    const noisy = valuesOf(build(planOf('light', { ...pade, noise: 0.2 })), 'pade5.coefficients');
    const std = Math.sqrt(noisy.reduce((sum, value, i) => sum + (value - clean[i]!) ** 2, 0) / noisy.length);
    // The standard error of a standard deviation of 1280 normal values is 2 %; four of them.
    expect(Math.abs(std / 0.2 - 1)).toBeLessThan(0.08);
  });

  it('starts a two-dimensional KAF at random or as another function, with twice the channels before it', () => {
    const pairs = { type: 'kaf-2d', dictionary: 4, boundary: 3, gamma: 0.2 } as const;
    const ridge = { type: 'ridge', target: 'identity', epsilon: 1e-4 } as const;
    const network = build(planOf('light', { ...pairs, init: ridge }));
    const row = Float32Array.from(fitRidge2d({ size: 4, boundary: 3, gamma: 0.2 }, (x) => x, 1e-4));
    const alpha = valuesOf(network, 'kaf2d5.alpha');
    expect(alpha).toHaveLength(128 * 16);
    expect(alpha.slice(-16)).toEqual(row);
    const before = network.parameters[network.parameters.findIndex(({ name }) => name === 'kaf2d5.alpha') - 1]!;
    expect(before.shape).toEqual([256]);
    expect(network.activations[4]).toEqual({ layer: 'kaf2d5', channels: 128, axis: [-3, -1, 1, 3], gamma: 0.2 });
    const random = valuesOf(build(planOf('light', { ...pairs, init: { type: 'normal', std: 0.3 } })), 'kaf2d5.alpha');
    const std = Math.sqrt(random.reduce((sum, value) => sum + value ** 2, 0) / random.length);
    // The standard error of a standard deviation of 2048 normal values is 1.6 %; four of them.
    expect(Math.abs(std / 0.3 - 1)).toBeLessThan(0.064);
  });

  it('starts the control points of a spline at the values of a function, with noise that differs between channels', () => {
    const clean = valuesOf(build(planOf('light', splineOfSix)), 'spline5.points');
    expect(clean).toHaveLength(128 * 6);
    expect(clean.slice(-6)).toEqual(Float32Array.from([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5], Math.tanh));
    const noisy = valuesOf(build(planOf('light', { ...splineOfSix, noise: 0.2 })), 'spline5.points');
    const std = Math.sqrt(noisy.reduce((sum, value, i) => sum + (value - clean[i]!) ** 2, 0) / noisy.length);
    // The standard error of a standard deviation of 768 normal values is 2.6 %; four of them.
    expect(Math.abs(std / 0.2 - 1)).toBeLessThan(0.104);
  });

  it('makes the K linear maps of maxout by layers K times as wide, and normalises each map by itself', () => {
    const { parameters, statistics } = build(planOf('light', { type: 'maxout', maps: 3 }));
    const shapes = parameters.map(({ name, shape }) => `${name} ${shape.join('×')}`);
    expect(shapes).toEqual([
      ...['conv1.kernel 3×3×3×96', 'conv1.bias 96', 'bn1.gamma 96', 'bn1.beta 96'],
      ...['conv2.kernel 3×3×32×96', 'conv2.bias 96', 'bn2.gamma 96', 'bn2.beta 96'],
      ...['conv3.kernel 3×3×32×192', 'conv3.bias 192', 'bn3.gamma 192', 'bn3.beta 192'],
      ...['conv4.kernel 3×3×64×192', 'conv4.bias 192', 'bn4.gamma 192', 'bn4.beta 192'],
      ...['dense1.kernel 64×384', 'dense1.bias 384', 'dense2.kernel 128×10', 'dense2.bias 10'],
    ]);
    expect(statistics.map(({ shape }) => shape)).toEqual([96, 96, 96, 96, 192, 192, 192, 192].map((size) => [size]));
  });

  it('gives each map of maxout the last convolution of a residual sum, and all of them the same skip', () => {
    const network = build(planOf({ type: 'resnet', depth: 8 }, { type: 'maxout', maps: 2 }), { side: 8 });
    const shapes = new Map(network.parameters.map(({ name, shape }) => [name, shape]));
    expect(shapes.get('conv1.kernel')).toEqual([3, 3, 3, 32]);
    expect(shapes.get('block1.conv1.kernel')).toEqual([3, 3, 16, 32]);
    expect(shapes.get('block1.conv2.kernel')).toEqual([3, 3, 16, 32]);
    expect(shapes.get('block2.skip.kernel')).toEqual([3, 3, 16, 64]);
    expect(shapes.get('block2.bn2.gamma')).toEqual([64]);
    const logits = tf.tidy(() =>
      network
        .forward(tf.ones([2, 8, 8, 3]), inInference)
        .dataSync()
        .slice(),
    );
    expect(logits).toHaveLength(20);
  });

  it('names the layers of residual networks by block', () => {
    const { parameters, activations } = build(planOf({ type: 'resnet', depth: 14 }, kaf));
    const layers = [...new Set(parameters.map(({ layer }) => layer))];
    const plain = (n: number) => ['conv1', 'bn1', 'kaf1', 'conv2', 'bn2', 'kaf2'].map((layer) => `block${n}.${layer}`);
    const strided = (n: number) => plain(n).toSpliced(4, 0, `block${n}.skip`);
    expect(layers).toEqual([
      ...['conv1', 'bn1', 'kaf1'],
      ...[plain(1), plain(2), strided(3), plain(4), strided(5), plain(6)].flat(),
      'dense1',
    ]);
    expect(activations.map(({ layer }) => layer)).toEqual(layers.filter((layer) => layer.includes('kaf')));
  });

  it('draws glorot-uniform convolutions and a he-normal dense kernel in residual networks', () => {
    const network = build(planOf({ type: 'resnet', depth: 8 }, kaf));
    expectSpread(network, 'block2.conv1.kernel', Math.sqrt(6 / (9 * 16 + 9 * 32)));
    const dense = valuesOf(network, 'dense1.kernel');
    const std = Math.sqrt(dense.reduce((sum, value) => sum + value * value, 0) / dense.length);
    // The standard error of a standard deviation of 640 normal values is 2.8 %; four of them.
    expect(Math.abs(std / Math.sqrt(2 / 64) - 1)).toBeLessThan(0.112);
  });

  it('draws he-uniform convolutions, glorot-uniform dense kernels, zero biases and normal coefficients', () => {
    const network = build(planOf('light', kaf));
    expectSpread(network, 'conv2.kernel', Math.sqrt(6 / (9 * 32)));
    expectSpread(network, 'dense1.kernel', Math.sqrt(6 / (64 + 128)));
    expect(Math.max(...valuesOf(network, 'conv2.bias').map(Math.abs))).toBe(0);
    expect(Math.max(...valuesOf(network, 'dense1.bias').map(Math.abs))).toBe(0);
    const alpha = valuesOf(network, 'kaf5.alpha');
    const std = Math.sqrt(alpha.reduce((sum, value) => sum + value * value, 0) / alpha.length);
    // The standard error of a standard deviation of 2,560 normal values is 1.4 %; four of them.
    expect(Math.abs(std / 0.3 - 1)).toBeLessThan(0.056);
  });

  it.each([
    ['he-uniform', 'uniform', 2 / 288],
    ['he-normal', 'normal', 2 / 288],
    ['glorot-uniform', 'uniform', 2 / (288 + 288)],
    ['glorot-normal', 'normal', 2 / (288 + 288)],
    ['lecun-uniform', 'uniform', 1 / 288],
    ['lecun-normal', 'normal', 1 / 288],
    // torch.nn.Conv2d: kaiming_uniform_(a = √5), which is uniform on ±1/√fanIn.
    ['pytorch', 'uniform', 1 / (3 * 288)],
  ] as const)(
    'draws every kernel %s where the model says so: %s, of its variance and gain',
    (type, shape, variance) => {
      const network = build({ ...planOf('light', kaf), initializer: { type, gain: 1.5 } });
      const kernel = valuesOf(network, 'conv2.kernel');
      const spread = Math.sqrt(variance) * 1.5;
      const std = Math.sqrt(kernel.reduce((sum, value) => sum + value * value, 0) / kernel.length);
      // Of 9,216 values the standard error of a standard deviation is at most 0.74 %; four of them.
      expect(Math.abs(std / spread - 1)).toBeLessThan(0.03);
      const furthest = Math.max(...kernel.map(Math.abs)) / spread;
      if (shape === 'uniform') expect(furthest).toBeGreaterThan(0.999 * Math.sqrt(3));
      if (shape === 'uniform') expect(furthest).toBeLessThanOrEqual(Math.sqrt(3) * (1 + 1e-6));
      else expect(furthest).toBeGreaterThan(3);
      const biases = Math.max(...valuesOf(network, 'conv2.bias').map(Math.abs), 0) * Math.sqrt(288);
      if (type === 'pytorch') expect(biases).toBeGreaterThan(0.8);
      expect(biases).toBeLessThanOrEqual(type === 'pytorch' ? 1 + 1e-6 : 0);
    },
  );

  it('draws the same weights from the same seed, others from another, and others for each parameter', () => {
    const plan = planOf('light', kaf);
    const first = build(plan);
    expect(valuesOf(build(plan), 'conv4.kernel')).toEqual(valuesOf(first, 'conv4.kernel'));
    expect(valuesOf(build(plan, { seed: 2 }), 'conv4.kernel')).not.toEqual(valuesOf(first, 'conv4.kernel'));
    expect(valuesOf(first, 'kaf3.alpha')).not.toEqual(valuesOf(first, 'kaf4.alpha'));
  });

  it('starts every channel of a ridge at the same fit, and a residual one at the fit of what swish leaves', () => {
    const dictionary = { size: 20, boundary: 3, gamma: 361 / 216 };
    const init = { type: 'ridge', target: 'elu', epsilon: 1e-6 } as const;
    const ridge = valuesOf(build(planOf('light', { ...kaf, init })), 'kaf1.alpha');
    const fit = Float32Array.from(fitRidge(dictionary, startTargets.elu.at, 1e-6));
    expect(ridge.slice(0, 20)).toEqual(fit);
    expect(ridge.slice(31 * 20)).toEqual(fit);
    const residual = build(planOf('light', { ...kaf, type: 'residual-kaf', init: { ...init, target: 'swish' } }));
    expect(valuesOf(residual, 'kaf1.alpha')).toEqual(new Float32Array(32 * 20));
    expect(residual.activations[0]).toMatchObject({ base: 'swish', gamma: 361 / 216 });
    expect(residual.activations[0]).toHaveProperty('dictionary', [...dictionaryElements(dictionary)]);
  });
});

describe('what a network starts from', () => {
  it('is a batch normalisation that changes nothing, with statistics of mean 0 and variance 1', () => {
    const network = build(planOf('light', { type: 'relu' }));
    expect(new Set(valuesOf(network, 'bn2.gamma'))).toEqual(new Set([1]));
    expect(new Set(valuesOf(network, 'bn2.beta'))).toEqual(new Set([0]));
    expect([valueOf(network, 'bn2.mean'), valueOf(network, 'bn2.variance')]).toEqual([0, 1]);
  });

  it('is, with the same coefficients, the same function for a free KAF as for a fixed one', () => {
    const fixed = build(planOf('light', kaf), { side: 4 });
    const free = build(planOf('light', { ...kaf, type: 'kaf-free' }), { side: 4 });
    for (const { name, variable } of fixed.parameters) {
      free.parameters.find((parameter) => parameter.name === name)!.variable.assign(variable);
    }
    const images = imagesOf(2);
    const [one, other] = [fixed, free].map((of) => tf.tidy(() => of.forward(images, pass({})).dataSync().slice()));
    // The bandwidth goes through a float32 logarithm, and five activations.
    one!.forEach((logit, index) => expect(other![index]).toBeCloseTo(logit, 3));
    images.dispose();
  });
});

describe('forward', () => {
  it.each([
    ['light', { type: 'relu' }],
    ['light', { type: 'elu', alpha: 1 }],
    ['light', { type: 'swish' }],
    ['light', kaf],
    ['light', { ...kaf, type: 'residual-kaf' }],
    ['light', { ...kaf, type: 'kaf-free' }],
    ['light', { type: 'gelu' }],
    ['light', { type: 'sigmoid' }],
    ['light', { type: 'tanh' }],
    ['light', { type: 'leaky-relu', slope: 0.01 }],
    ['light', { type: 'softplus', a: 10 }],
    ['light', { type: 'smooth-relu', beta: 1 }],
    ['light', { type: 'step', straightThrough: 1 }],
    ['light', { type: 'k-wta', rounding: 'ceiling', over: 'layer', ties: 'all', ratio: 0.15 }],
    ['light', { type: 'prelu', slope: 0.25 }],
    ['light', { type: 'generalized-tanh', scale: 1, rate: 2 }],
    ['light', { type: 'srelu', left: 0, leftSlope: 0.2, right: 1, rightSlope: 1 }],
    ['light', { type: 'apl', hinges: 1, reach: 1 }],
    ['light', { type: 'polynomial', degree: 1 }],
    ['light', splineOfSix],
    ['light', { type: 'maxout', maps: 2 }],
    ['vgg', { type: 'maxout', maps: 3 }],
    ['vgg', kaf],
    [resnet20, kaf],
  ] as const)('makes finite logits in both modes (%o, %o)', (name, activation) => {
    const network = build(planOf(name, activation), { side: 8 });
    const images = tf.fill<tf.Rank.R4>([2, 8, 8, 3], 0.5);
    for (const mode of ['training', 'inference'] as const) {
      const logits = tf.tidy(() => network.forward(images, pass({ mode })).dataSync().slice());
      expect(logits).toHaveLength(2 * 10);
      expect(logits.every((logit) => Number.isFinite(logit))).toBe(true);
    }
    images.dispose();
  });

  it('lowers the share of winners as the thesis did: 0.30 for 10 epochs, 0.01 less every 2, 0.15 after 40', () => {
    const lowering = { to: 0.15, by: 0.01, everyEpochs: 2, afterEpochs: 10 };
    const ratios = [0, 9, 10, 11, 12, 37, 38, 39, 40, 1000].map((epoch) => winnersRatio(0.3, lowering, epoch));
    expect(ratios.map((ratio) => Number(ratio.toFixed(6)))).toEqual([
      ...[0.3, 0.3, 0.29, 0.29, 0.28, 0.16, 0.15, 0.15, 0.15, 0.15],
    ]);
    expect(winnersRatio(0.3, undefined, 1000)).toBe(0.3);
  });

  it('keeps as many winners as the epoch asks for', () => {
    const lowering = { to: 0.05, by: 0.1, everyEpochs: 1, afterEpochs: 1 };
    const lowered = build(
      planOf('light', { type: 'k-wta', rounding: 'ceiling', over: 'layer', ties: 'all', ratio: 0.25, lowering }),
      { side: 8 },
    );
    const images = imagesOf(2);
    const logitsOf = (network: Network) => tf.tidy(() => network.forward(images, pass({})).dataSync().slice());
    for (const [epoch, ratio] of [
      [0, 0.25],
      [1, 0.15],
      [2, 0.05],
      [9, 0.05],
    ] as const) {
      lowered.setEpoch(epoch);
      const still = build(planOf('light', { type: 'k-wta', rounding: 'ceiling', over: 'layer', ties: 'all', ratio }), {
        side: 8,
      });
      expect(logitsOf(lowered)).toEqual(logitsOf(still));
    }
    images.dispose();
  });

  it('normalises as its first layer: raw images and normalised ones without it agree', () => {
    const plan = planOf('light', { type: 'relu' });
    const normalization = { mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.3] };
    const images = imagesOf(2);
    const [own, given] = tf.tidy(() => [
      build({ ...plan, normalization }, { side: 4 })
        .forward(images, pass({}))
        .dataSync()
        .slice(),
      build(plan, { side: 4 })
        .forward(tf.div(tf.sub(images, normalization.mean), normalization.std), pass({}))
        .dataSync()
        .slice(),
    ]);
    // float32, a few roundings of inputs of size 3 through five layers
    own!.forEach((logit, index) => expect(logit).toBeCloseTo(given![index]!, 4));
    images.dispose();
  });

  it('gives training no gradient of the images: of every convolution’s input but the first’s', () => {
    const network = build(planOf('light', { type: 'relu' }), { side: 4 });
    const images = imagesOf(2);
    const names: string[] = [];
    const engine = tf.engine();
    const run = engine.runKernel.bind(engine);
    engine.runKernel = ((name: string, ...rest: [tf.NamedTensorMap, tf.NamedAttrMap]) => {
      names.push(name);
      return run(name, ...rest);
    }) as typeof engine.runKernel;
    try {
      const variables = network.parameters.map(({ variable }) => variable);
      const forward = () => network.forward(images, pass({ mode: 'training', gradients: 'all' }));
      tf.tidy(() => void tf.valueAndGrads(forward)(variables, tf.ones([2, 10])));
    } finally {
      engine.runKernel = run;
    }
    expect(names.filter((name) => name === tf.Conv2DBackpropInput)).toHaveLength(3);
    expect(names.filter((name) => name === tf.Conv2DBackpropFilter)).toHaveLength(4);
    images.dispose();
  });

  it('drops units in training by the key, and none in inference', () => {
    const network = build(planOf('light', { type: 'relu' }), { side: 4 });
    const images = imagesOf(2);
    const logits = (made: Partial<Pass>) => tf.tidy(() => network.forward(images, pass(made)).dataSync().slice());
    const key = (counter: number) => ({ seed: 3, stream: 100, counter });
    expect(logits({ mode: 'training', key: key(0) })).toEqual(logits({ mode: 'training', key: key(0) }));
    expect(logits({ mode: 'training', key: key(0) })).not.toEqual(logits({ mode: 'training', key: key(1) }));
    expect(logits({ key: key(0) })).toEqual(logits({ key: key(1) }));
    images.dispose();
  });

  it('leaves the running statistics alone; updateStatistics forgets the more slowly the longer it runs, up to momentum 0.99', () => {
    const network = build(planOf('light', { type: 'relu' }), { side: 4 });
    const images = imagesOf(2);
    const batchStatistics: BatchStatistics[] = [];
    tf.tidy(() => void network.forward(images, pass({ mode: 'training', batchStatistics })));
    expect([...network.statistics[0]!.variable.dataSync()]).toEqual(Array(32).fill(0));
    expect(batchStatistics).toHaveLength(4);

    network.updateStatistics(batchStatistics, { step: 1 });
    const { mean, variance, nValues } = batchStatistics[0]!;
    expect(nValues).toBe(2 * 4 * 4);
    const first = mean.dataSync()[0]!;
    expect(valueOf(network, 'bn1.mean')).toBeCloseTo(first, 6);
    expect(valueOf(network, 'bn1.variance')).toBeCloseTo((variance.dataSync()[0]! * 32) / 31, 6);

    const zeros = batchStatistics.map(({ mean: old }) => ({
      mean: tf.zerosLike(old),
      variance: tf.zerosLike(old),
      nValues: 2,
    }));
    network.updateStatistics(zeros, { step: 2 });
    expect(valueOf(network, 'bn1.mean')).toBeCloseTo(first / 11, 6);
    network.updateStatistics(zeros, { step: 5000 });
    expect(valueOf(network, 'bn1.mean')).toBeCloseTo((0.99 * first) / 11, 6);
    for (const made of [...batchStatistics, ...zeros]) tf.dispose([made.mean, made.variance]);
    images.dispose();
  });
});

function pass(made: Partial<Pass>): Pass {
  const key = { seed: 1, stream: 0, counter: 0 };
  return { mode: 'inference', key, gradients: 'input', batchStatistics: null, ...made };
}

function imagesOf(count: number): tf.Tensor4D {
  const values = Float32Array.from({ length: count * 48 }, (_, index) => ((index * 37) % 101) / 101);
  return tf.tensor4d(values, [count, 4, 4, 3]);
}

function valuesOf(network: Network, name: string): Float32Array {
  return network.parameters
    .find((parameter) => parameter.name === name)!
    .variable.dataSync<'float32'>()
    .slice();
}

function valueOf(network: Network, name: string): number {
  return network.statistics.find((statistic) => statistic.name === name)!.variable.dataSync()[0]!;
}

/** Uniform on ±limit: the extremes close to it, the mean close to 0. */
function expectSpread(network: Network, name: string, limit: number): void {
  const values = valuesOf(network, name);
  const largest = Math.max(...values.map(Math.abs));
  expect(largest).toBeLessThanOrEqual(limit);
  expect(largest).toBeGreaterThan(0.99 * limit);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  // Four standard errors of a uniform distribution's mean.
  expect(Math.abs(mean)).toBeLessThan((4 * limit) / Math.sqrt(3 * values.length));
}
