// Properties over generated texts and plans: nothing throws, and a plan written as a file compiles to itself.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { describePlan, pixelLengthText } from '../../server/experiment/describePlan.ts';
import { automaticGamma } from '../../server/experiment/makePlan.ts';
import { writeExperiment } from '../../server/experiment/writeExperiment.ts';
import { issueText } from '../../server/protocol/issue.ts';
import { experimentValues as values } from './experimentValues.ts';
import { isInside, scrambled } from './scrambled.ts';

const options = { file: '/projects/first.kaf.yaml', homeFolder: '/home/user' };

describe('a plan', () => {
  it('written as an experiment compiles to itself, from any folder', () => {
    fc.assert(
      fc.property(values, (input) => {
        const { plans, issues } = compileExperiment(stringify(input), options);
        expect(issues.filter((issue) => issue.severity === 'error').map(issueText)).toEqual([]);
        const plan = plans[0]!;
        const again = compileExperiment(writeExperiment(plan), { file: '/else/where.kaf.yaml', homeFolder: '/root' });
        expect(again.plans).toEqual([plan]);
      }),
      { numRuns: 200 },
    );
  });

  it('is written with lengths in pixel values as fractions, and nothing else', () => {
    const text = writeExperiment(
      compileExperiment(
        'dataset: cifar10\nmodel: {dropout: [0.2, 0.4, 0.6]}\ntraining: {method: fgsm-rs}\n' +
          'evaluation: [{attack: pgd, epsilons: [4/255, 0.2]}, {attack: pgd, norm: l2}]',
        options,
      ).plans[0]!,
    );
    expect(text).toMatch(/^ {4}epsilon: 8\/255$/m);
    expect(text).toMatch(/^ {4}epsilons:\n {6}- 4\/255\n {6}- 0\.2$/m);
    expect(text).toMatch(/^ {4}epsilon: 0\.5$/m);
    expect(text).toMatch(/^ {4}- 0\.2\n {4}- 0\.4\n {4}- 0\.6$/m);
  });

  it('is described by network, activation, method and data set', () => {
    const describe = (text: string) => compileExperiment(text, options).plans.map(describePlan);
    expect(describe('model: {activation: {type: residual-kaf, dictionary: 8}}')).toEqual([
      'light · residual KAF 8 · standard · shapes',
    ]);
    expect(describe('model: {network: vgg, activation: {type: elu, alpha: 2}}\ndataset: cifar10')).toEqual([
      'vgg · ELU α 2 · standard · cifar10',
    ]);
    expect(describe('model: {activation: {type: kaf, kernel: relu}}')).toEqual([
      'light · KAF ReLU 20 · standard · shapes',
    ]);
    expect(describe('model: {activation: kaf-2d}')).toEqual(['light · 2D-KAF 10² · standard · shapes']);
    expect(describe('model: {activation: multi-kaf}')).toEqual([
      'light · multi-KAF Gaussian + softplus 20 · standard · shapes',
    ]);
    expect(describe('model: {activation: {type: kaf-free, init: {ridge: elu}}}')).toEqual([
      'light · free KAF 20 from elu · standard · shapes',
    ]);
    expect(describe('model: {activation: {type: k-wta, ratio: 0.15}}')).toEqual([
      'light · k-WTA 0.15 · standard · shapes',
    ]);
    expect(describe('model: {activation: {type: spline, points: 9, start: relu}}')).toEqual([
      'light · spline 9 from relu · standard · shapes',
    ]);
    expect(describe('model: {activation: {type: maxout, maps: 5}}')).toEqual(['light · maxout 5 · standard · shapes']);
    expect(describe('model: {activation: {type: k-wta, lowering: {}}}')).toEqual([
      expect.stringContaining('k-WTA 0.3 → 0.15'),
    ]);
    expect(describe('model: {activation: {type: k-wta, ratio: 0.3, lowering: {}}}')).toEqual([
      'light · k-WTA 0.3 → 0.15 · standard · shapes',
    ]);
    expect(describe('model: {network: resnet20, activation: swish}')).toEqual(['resnet20 · Swish · standard · shapes']);
    expect(describe('training: {method: fgsm-rs, threat: {epsilon: 0.031}}\nmodel: {activation: relu}')).toEqual([
      'light · ReLU · FGSM-RS 0.031 · shapes',
    ]);
    expect(describe('training: {method: pgd, threat: {norm: l2}}\nmodel: {activation: relu}')).toEqual([
      'light · ReLU · PGD-AT L2 0.5 · shapes',
    ]);
  });

  it('shows lengths as 255ths where they are', () => {
    expect([8 / 255, 0.5 / 255, 1, 0.031, 1e-6].map(pixelLengthText)).toEqual([
      '8/255',
      '0.5/255',
      '255/255',
      '0.031',
      '0.000001',
    ]);
  });

  it('has γ = 1/(6Δ²) by default: 1.671 for the thesis (D = 20, b = 3)', () => {
    expect(automaticGamma(20, 3)).toBeCloseTo(1.6713, 4); // reference.md G quotes four digits
  });
});

describe('no text makes the compiler throw, and every issue lies in the text', () => {
  it('of random characters', () => {
    const yamlish = fc
      .array(fc.constantFrom(...' \n\t:-{}[],#&*!|>"\'%@~?ab1/'), { maxLength: 60 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(fc.string(), yamlish), (text) => {
        for (const issue of compileExperiment(text, options).issues) expect(isInside(text, issue.range)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('of an experiment with a piece cut, doubled or replaced', () => {
    fc.assert(
      fc.property(scrambled(values.map((input) => stringify(input))), (text) => {
        for (const issue of compileExperiment(text, options).issues) expect(isInside(text, issue.range)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('nor does any override', () => {
    const paths = fc.constantFrom(
      '',
      '.',
      'seed',
      'model',
      'model.activation.type',
      'evaluation[0]',
      'evaluation.0.steps',
      'a[1][2].b',
      'training.threat.epsilon.x',
      '__proto__',
      'constructor',
    );
    fc.assert(
      fc.property(fc.dictionary(paths, fc.oneof(fc.jsonValue(), fc.string())), (overrides) => {
        compileExperiment('evaluation: [pgd]\ntraining: {threat: {epsilon: 1/255}}', { ...options, overrides });
      }),
      { numRuns: 500 },
    );
  });
});
