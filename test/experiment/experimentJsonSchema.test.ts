// The JSON Schema against an independent reader of JSON Schema (zod's), on texts whose verdict compileExperiment gives.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { experimentJsonSchema } from '../../server/experiment/experimentJsonSchema.ts';

const schema = z.fromJSONSchema(experimentJsonSchema() as Parameters<typeof z.fromJSONSchema>[0]);
const examples = path.join(import.meta.dirname, '../../examples');

function isAcceptedByBoth(text: string): [boolean, boolean] {
  const { plans } = compileExperiment(text, { file: null, homeFolder: '/home/user' });
  return [schema.safeParse(parse(text)).success, plans.length > 0];
}

describe('the JSON Schema', () => {
  it('is plain JSON', () => {
    expect(JSON.parse(JSON.stringify(experimentJsonSchema()))).toEqual(experimentJsonSchema());
  });

  it.each(fs.readdirSync(examples).filter((name) => name.endsWith('.yaml')))('accepts the example %s', (name) => {
    expect(isAcceptedByBoth(fs.readFileSync(path.join(examples, name), 'utf8'))).toEqual([true, true]);
  });

  it.each([
    'model: {activation: {type: kaf, init: {ridge: elu, epsilon: 1e-6}}}',
    'model: {activation: {dictionary: 10}}',
    'model: {activation: swish, normalization: cifar10}',
    'model: {normalization: {mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2]}}',
    'training: {method: fgsm-rs, threat: {epsilon: 8/255}, optimizer: sgd, schedule: {type: triangular, max: 1/5}}',
    'evaluation: [pgd, {attack: pgd, steps: 3}]',
    'seeds: [0, 1]',
    'matrix: {model.activation: [relu, {type: kaf}], zip: [{training.epochs: 2, seed: 1}], exclude: [{seed: 1, model.activation: relu}]}',
  ])('accepts what compiles: %s', (text) => {
    expect(isAcceptedByBoth(text)).toEqual([true, true]);
  });

  it.each([
    'sead: 1',
    'matrix: 3',
    'matrix: {seed: []}',
    'matrix: {seed: 1}',
    'matrix: {zip: [1]}',
    'training: {epochs: 0}',
    'training: {epochs: 1.5}',
    'training: {optimizer: {type: sgd, beta1: 0.9}}',
    'training: {method: tradez}',
    'training: {method: {type: trades, lambda: 1}}',
    'model: {activation: {type: kfa}}',
    'model: {activation: {type: kaf, init: {normal: 1, ridge: elu}}}',
    'model: {normalization: {mean: []}}',
    'model: {dropout: [0, 0, 1]}',
    'evaluation: [{attack: pgd, norm: l1}]',
    'seeds: [1, 1]',
    'runtime: webgpu',
  ])('refuses what does not compile: %s', (text) => {
    expect(isAcceptedByBoth(text)).toEqual([false, false]);
  });
});
