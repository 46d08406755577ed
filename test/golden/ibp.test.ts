// Interval bounds of small networks against an independent propagation in PyTorch, and against auto-LiRPA.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { Target } from '../../server/attack/target.ts';
import { BoundNetwork } from '../../server/certificate/boundNetwork.ts';
import { boundOf } from '../../server/certificate/lipschitz.ts';
import { kafBound } from '../../server/certificate/layerBound.ts';
import { marginsAt } from '../../server/certificate/ibp.ts';
import { buildNetwork } from '../../server/model/network.ts';
import { layOutNetwork } from '../../server/network/layout.ts';
import type { LayerPlan, ModelPlan } from '../../server/protocol/plan.ts';
import type { LayerBound } from '../../server/protocol/records.ts';
import { openCpu } from '../trainer/tinyPlan.ts';
import { readGolden, toFloat32, type GoldenTensor } from './readGolden.ts';

interface Case {
  readonly epsilon: number;
  readonly low: GoldenTensor;
  readonly high: GoldenTensor;
  readonly margins: GoldenTensor;
}

interface Golden {
  readonly weights: Readonly<Record<string, GoldenTensor>>;
  readonly images: GoldenTensor;
  readonly cases: readonly Case[];
}

type Layers = readonly LayerPlan[];

const golden = readGolden<
  Golden & { readonly kaf: { readonly dictionary: number; readonly boundary: number; readonly gamma: number } }
>('ibp');
const ofLirpa = readGolden<Golden>('lirpa');

const conv = { type: 'conv', size: 3, stride: 1, padding: 'same', bias: true, initializer: 'he-uniform' } as const;
const dense = { type: 'dense', bias: true, initializer: 'he-uniform' } as const;
const kaf = { type: 'kaf', ...golden.kaf, init: { type: 'normal', std: 0.3 } } as const;
const relu = { type: 'activation', activation: { type: 'relu' } } as const;

const ofKaf: Layers = [
  ...([{ ...conv, channels: 4 }, { type: 'batch-norm' }, relu] as const),
  { type: 'max-pool', size: 2, stride: 2, padding: 'valid' },
  ...([{ ...conv, channels: 3 }, { type: 'activation', activation: kaf }, { type: 'flatten' }] as const),
  { ...dense, units: 'classes' },
];
const ofRelu: Layers = [
  ...([{ ...conv, channels: 5 }, relu, { ...conv, channels: 6, stride: 2, padding: 'valid' }, relu] as const),
  ...([{ type: 'flatten' }, { ...dense, units: 12 }, relu, { ...dense, units: 'classes' }] as const),
];

beforeAll(openCpu);

it.each([
  ['PyTorch', golden, ofKaf],
  ['auto-LiRPA', ofLirpa, ofRelu],
] as const)('bounds logits and their differences as %s does, to 1e-5', (_, expected, layers) => {
  const { network, subject } = open(expected, layers);
  const bounds = new BoundNetwork(subject);
  for (const _ of bounds.prepare());
  const images = tf.tensor(toFloat32(expected.images), expected.images.shape as [number, number, number, number]);
  for (const { epsilon, low, high, margins } of expected.cases) {
    const ball = {
      low: tf.clipByValue(tf.sub(images, epsilon), 0, 1),
      high: tf.clipByValue(tf.add(images, epsilon), 0, 1),
    };
    const box = bounds.through(subject.layouts, ball);
    close(box.low.dataSync(), low.values);
    close(box.high.dataSync(), high.values);
    for (let label = 0; label < 4; label++) {
      const labels = new Int32Array(3).fill(label);
      const found = marginsAt(bounds, subject, images, labels, new Float32Array(3).fill(epsilon));
      close(
        found,
        [0, 1, 2].map((row) => margins.values[row * 4 + label]!),
      );
    }
  }
  network.dispose();
});

it('bounds the Lipschitz constant of each layer from above, as near as numpy and the start of power iteration allow', () => {
  const { network, subject } = open(golden, ofKaf);
  const { layers, kafBound: ofPaper } = readGolden<{
    readonly layers: Readonly<Record<string, number>>;
    readonly kafBound: number;
  }>('lipschitz');
  const known: LayerBound[] = [];
  const walk = boundOf(subject, subject.layouts, 1, known);
  let step = walk.next();
  while (!step.done) step = walk.next();
  expect(known.map(({ layer }) => layer)).toEqual(Object.keys(layers));
  let product = 1;
  for (const { layer, kind, bound, product: upTo } of known) {
    const exact = layers[layer]!;
    // By 1/√(1 − e) with e = 1 − (1e-6/(0.824·√n))^(1/99.5), n the 72 values of a sample at most.
    const room = kind === 'convolution' || kind === 'dense' ? 1.084 : kind === 'activation' ? 1.011 : 1 + 1e-6;
    expect(bound).toBeGreaterThan(exact * (1 - 1e-6));
    expect(bound).toBeLessThan(exact * room);
    product *= bound;
    expect(upTo / product).toBeCloseTo(1, 12);
  }
  expect(step.value).toBe(known.at(-1)!.product);
  const alpha = toFloat32(golden.weights['kaf2.alpha']!);
  expect(kafBound(alpha, 3, golden.kaf.gamma) / ofPaper).toBeCloseTo(1, 6);
  network.dispose();
});

function open({ weights, images }: Golden, layers: Layers) {
  const plan = { dropout: [], denseL2: 0, convolutionL2: 0, normalization: null, activation: kaf } as const;
  const model: ModelPlan = { network: { type: 'layers', layers }, ...plan };
  const ends = { sampleShape: images.shape.slice(1), nClasses: 4 };
  const network = buildNetwork(model, { ...ends, seed: 0 });
  const named = [...network.parameters, ...network.statistics];
  expect(named.map(({ name }) => name).sort()).toEqual(Object.keys(weights).sort());
  for (const { name, variable } of named) variable.assign(tf.tensor(toFloat32(weights[name]!), variable.shape));
  const target = new Target(network, { nClasses: 4, shape: ends.sampleShape, passes: { forward: 0, backward: 0 } });
  const subject = {
    ...{ target, network, layouts: layOutNetwork(model, ends), normalization: null },
    ...({ bounds: [0, 1], epoch: 0, seed: 0 } as const),
  };
  return { network, subject };
}

function close(found: ArrayLike<number>, expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  expected.forEach((value, index) => {
    expect(Math.abs(found[index]! - value)).toBeLessThan(1e-5 * Math.max(1, Math.abs(value)));
  });
}
