// Sweeps: what a matrix makes of an experiment, and how its mistakes are told.
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Scalar, stringify } from 'yaml';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { planIdentity } from '../../server/experiment/planIdentity.ts';
import { issueText } from '../../server/protocol/issue.ts';
import { experimentValues } from './experimentValues.ts';
import { issuesOf, options, underlined } from './issuesOf.ts';
import { isInside } from './scrambled.ts';

function cellsOf(text: string) {
  const { cells, issues } = compileExperiment(text, options);
  expect(issues.filter(({ severity }) => severity === 'error').map(issueText)).toEqual([]);
  return cells;
}

const names = (text: string) => cellsOf(text).map(({ name }) => name);

describe('a matrix', () => {
  it('makes a cell of each combination, the last axis first', () => {
    const cells = cellsOf('matrix: {model.activation: [relu, {type: kaf, dictionary: 8}], seed: [3, 1]}');
    expect(cells.map(({ name }) => name)).toEqual([
      'relu · seed 3',
      'relu · seed 1',
      'kaf dictionary 8 · seed 3',
      'kaf dictionary 8 · seed 1',
    ]);
    expect(cells.map(({ plan }) => [plan.model.activation.type, plan.seed])).toEqual([
      ['relu', 3],
      ['relu', 1],
      ['kaf', 3],
      ['kaf', 1],
    ]);
    expect(cells[3]!.values).toEqual({ 'model.activation': 'kaf dictionary 8', seed: '1' });
    expect(cells.every(({ plan }) => Object.isFrozen(plan.model.activation))).toBe(true);
  });

  it('leaves what it does not name as the experiment has it, and replaces a mapping whole', () => {
    const [cell] = cellsOf(
      'model: {activation: {type: kaf, dictionary: 9}, dropout: [0, 0, 0.1]}\nmatrix: {model.activation: [kaf]}',
    );
    expect(cell!.plan.model.activation).toMatchObject({ type: 'kaf', dictionary: 20 });
    expect(cell!.plan.model.dropout).toEqual([0, 0, 0.1]);
  });

  it('sets a key within a mapping that another axis chooses, in whatever order they stand', () => {
    const cells = cellsOf('matrix: {model.activation.dictionary: [5, 6], model.activation: [kaf, residual-kaf]}');
    expect(cells.map(({ plan }) => plan.model.activation)).toMatchObject([
      { type: 'kaf', dictionary: 5 },
      { type: 'residual-kaf', dictionary: 5 },
      { type: 'kaf', dictionary: 6 },
      { type: 'residual-kaf', dictionary: 6 },
    ]);
  });

  it('fills in a preset that only a cell chooses', () => {
    const [plain, preset] = cellsOf('matrix: {training.preset: [none, wong-fgsm]}');
    expect(plain!.plan.training.method.type).toBe('standard');
    expect(preset!.plan.training.method.type).toBe('fgsm-rs');
  });

  it('reaches the items of a list, and values by an anchor', () => {
    const text =
      'evaluation: [pgd]\nmodel: {activation: &a {type: kaf, dictionary: 7}}\n' +
      'matrix: {"evaluation[0].steps": [3, 5], model.activation: [*a, relu]}';
    const cells = cellsOf(text);
    expect(cells.map(({ plan }) => [plan.evaluation[0]!.attack, plan.evaluation[0]])).toMatchObject([
      ['pgd', { steps: 3 }],
      ['pgd', { steps: 3 }],
      ['pgd', { steps: 5 }],
      ['pgd', { steps: 5 }],
    ]);
    expect(cells[0]!.plan.model.activation).toMatchObject({ dictionary: 7 });
  });

  it('holds anchors that the rest of the experiment uses', () => {
    const cells = cellsOf('matrix: {training.epochs: [&few 2, 5]}\ntraining: {batchSize: *few}');
    expect(cells.map(({ plan: { training } }) => [training.epochs, training.batchSize])).toEqual([
      [2, 2],
      [5, 2],
    ]);
  });

  it('is copied once, not once for each of its cells', () => {
    const clone = vi.spyOn(Scalar.prototype, 'clone');
    onTestFinished(() => {
      clone.mockRestore();
    });
    const seeds = Array.from({ length: 200 }, (_, seed) => seed);
    expect(cellsOf(`matrix: {seed: [${seeds.join()}]}\nname: many`)).toHaveLength(200);
    // Of the name and what else stands outside of it some a cell; its 200 values only once.
    expect(clone.mock.calls.length).toBeLessThan(200 * 10);
  });

  it('takes values that go together as one axis, named by the first where that tells them apart', () => {
    const zip = (second: string) =>
      `matrix:\n  zip:\n    - {model.activation: relu, training.epochs: 5}\n    - {model.activation: ${second}, training.epochs: 6}\n  seed: [0, 1]`;
    expect(names(zip('elu'))).toEqual(['relu · seed 0', 'relu · seed 1', 'elu · seed 0', 'elu · seed 1']);
    expect(names(zip('relu'))).toEqual([
      'relu · epochs 5 · seed 0',
      'relu · epochs 5 · seed 1',
      'relu · epochs 6 · seed 0',
      'relu · epochs 6 · seed 1',
    ]);
    expect(cellsOf(zip('elu'))[2]!.plan.training.epochs).toBe(6);
  });

  it('leaves out what is excluded and adds what is included', () => {
    const text =
      'matrix: {seed: [1, 2], training.method: [fgsm, pgd], exclude: [{seed: 2, training.method: pgd}], ' +
      'include: [{seed: 7, training.epochs: 3}]}';
    expect(names(text)).toEqual(['seed 1 · fgsm', 'seed 1 · pgd', 'seed 2 · fgsm', 'seed 7 · epochs 3']);
  });

  it('of cells that are written out alone has these alone', () => {
    expect(names('matrix: {include: [{seed: 4}, {model.activation: relu}]}')).toEqual(['seed 4', 'relu']);
  });

  it('goes together with a list of seeds, which is the same as an axis of them', () => {
    const listed = cellsOf('seeds: [0, 1]\nmatrix: {model.activation: [relu, elu]}');
    const axis = cellsOf('matrix: {model.activation: [relu, elu], seed: [0, 1]}');
    expect(listed).toEqual(axis);
    expect(cellsOf('seeds: [0, 1]')).toEqual(cellsOf('matrix: {seed: [0, 1]}'));
  });

  it('names a number by its key, by its whole path where two keys end alike', () => {
    expect(names('matrix: {training.epochs: [2], seed: [1]}')).toEqual(['epochs 2 · seed 1']);
    expect(names('evaluation: [pgd]\nmatrix: {observe.robustSteps: [2], "evaluation[0].epsilon": [8/255]}')).toEqual([
      'robustSteps 2 · epsilon 8/255',
    ]);
    expect(
      names(
        'training: {method: fgsm-rs}\nevaluation: [pgd]\nmatrix: {training.threat.epsilon: [4/255], "evaluation[0].epsilon": [8/255]}',
      ),
    ).toEqual(['training.threat.epsilon 4/255 · evaluation[0].epsilon 8/255']);
  });

  it('of an experiment without one is its run, or one a seed', () => {
    expect(names('name: alone')).toEqual(['alone']);
    expect(names('name: alone\nseeds: [5]')).toEqual(['seed 5']);
  });

  it('holds a thousand cells, seeds counted, and not one more', () => {
    const lengths = (a: number, b: number) => `matrix: {training.epochs: [${range(a)}], seed: [${range(b)}]}`;
    expect(cellsOf(lengths(20, 5))).toHaveLength(100);
    expect(issuesOf(lengths(101, 10)).map(issueText)).toEqual(['matrix: expected at most 1000 cells, got 1010']);
    expect(issuesOf(`seeds: [${range(100)}]\nmatrix: {training.epochs: [${range(11)}]}`).map(issueText)).toEqual([
      'matrix: expected at most 1000 cells, got 1100',
    ]);
    const cut = (parts: number) => `evaluation: [pgd]\nseeds: [${range(50)}]\nparts: ${String(parts)}`;
    expect(issuesOf(cut(19)).map(issueText)).toEqual([]);
    expect(issuesOf(cut(20)).map(issueText)).toEqual([
      'parts: expected at most 1000 cells, parts among them, got 1050',
    ]);
  });

  it('makes of any experiment what the same values in their places make', () => {
    fc.assert(
      fc.property(
        experimentValues,
        fc.constantFrom('relu', 'kaf', 'elu'),
        fc.integer({ min: 1, max: 9 }),
        (values, activation, seed) => {
          const written = { ...values, seed: undefined, seeds: undefined };
          const placed = { ...written, seed, model: { ...(values.model as object), activation } };
          const matrix = { 'model.activation': [activation], seed: [seed] };
          const plain = compileExperiment(stringify(placed), options);
          const swept = compileExperiment(stringify({ ...written, matrix }), options);
          expect(swept.plans).toEqual(plain.plans);
        },
      ),
      { numRuns: 100 },
    );
  });
});

function range(length: number): string {
  return Array.from({ length }, (_, index) => String(index + 1)).join(', ');
}

describe('a mistake in a matrix is underlined where it is', () => {
  const cells = 'expected lists of values by the path of a key';
  it.each([
    ['no mapping', 'matrix: 3', `matrix: ${cells}, got 3`, '3'],
    ['an empty one', 'matrix: {}', `matrix: ${cells}, got none`, '{}'],
    ['nothing', 'matrix:', 'matrix: expected a mapping of lists by the path of a key, got nothing', 'matrix'],
    ['an axis that is no list', 'matrix: {seed: 3}', 'matrix.seed: expected a list of 1 to 1000 values, got 3', '3'],
    ['an empty axis', 'matrix: {seed: []}', 'matrix.seed: expected a list of 1 to 1000 values, got a list of 0', '[]'],
    [
      'a misspelt path',
      'matrix: {model.activaton: [relu]}',
      'matrix.model.activaton: expected a key of model, got "activaton"',
      'model.activaton',
    ],
    ['an unknown key', 'matrix: {foo: [1]}', 'matrix.foo: expected the path of a key, got "foo"', 'foo'],
    ['a list of runs', 'matrix: {seeds: [[1]]}', 'matrix.seeds: expected the path of a key, got "seeds"', 'seeds'],
    [
      'a matrix in itself',
      'matrix: {matrix: [1]}',
      'matrix.matrix: expected the path of a key, got "matrix"',
      'matrix',
    ],
    [
      'an axis twice',
      'matrix: {seed: [1], seed: [2]}',
      'matrix.seed: expected each key once, got "seed" again',
      'seed',
    ],
    [
      'a row that is none',
      'matrix: {zip: [relu]}',
      'matrix.zip[0]: expected a mapping of values by the path of a key, got "relu"',
      'relu',
    ],
    [
      'seeds besides an axis of seeds',
      'seeds: [1]\nmatrix: {seed: [1]}',
      'matrix.seed: expected seed or seeds, got both',
      'matrix',
    ],
    [
      'every cell excluded',
      'matrix: {seed: [1], exclude: [{seed: 1}]}',
      'matrix: expected at least one cell, got none',
      'matrix',
    ],
    [
      'a value twice',
      'matrix: {model.activation: [kaf, {type: kaf}]}',
      'matrix.model.activation: expected cells of different plans, got the plan of kaf again, in the cell kaf (2)',
      '{type: kaf}',
    ],
  ])('%s', (_, text, sentence, place) => {
    const [issue, ...others] = issuesOf(text);
    expect(others).toEqual([]);
    expect(issueText(issue!)).toBe(sentence);
    expect(underlined(text, issue!)).toBe(place);
    expect(compileExperiment(text, options).cells).toEqual([]);
  });

  it('as is a value that is wrong by itself, once, with its cells', () => {
    const text = 'matrix:\n  model.activation: [relu, sish]\n  training.epochs: [1, 0]\nseeds: [0, 1]';
    const issues = issuesOf(text);
    expect(issues.map((issue) => [underlined(text, issue), issue.got])).toEqual([
      ['sish', '"sish" in the cell sish · epochs 1 and 1 more'],
      ['0', '0 in the cell relu · epochs 0 and 1 more'],
    ]);
    expect(issues[0]!.remedy).toBe('Did you mean swish?');
  });

  it('as is a value that contradicts the rest, or another value', () => {
    const batch = 'dataset: {name: shapes, trainSamples: 100}\nmatrix: {training.batchSize: [10, 200]}';
    expect(issuesOf(batch).map((issue) => [underlined(batch, issue), issue.got])).toEqual([
      ['200', '200 in the cell batchSize 200'],
    ]);
    const base = 'training: {batchSize: 64}\nmatrix:\n  dataset: [{name: shapes, trainSamples: 50}, {name: shapes}]';
    expect(issuesOf(base).map((issue) => [underlined(base, issue), issue.got])).toEqual([
      ['{name: shapes, trainSamples: 50}', '64 in the cell shapes trainSamples 50'],
    ]);
    const pair = 'matrix:\n  model.network: [vgg, resnet20]\n  model.dropout: [[0.1, 0.1, 0.1, 0.1]]';
    expect(issuesOf(pair).map((issue) => [underlined(pair, issue), issue.got])).toEqual([
      ['[0.1, 0.1, 0.1, 0.1]', 'a list of 4 in the cell resnet20 · dropout [0.1, 0.1, 0.1, 0.1]'],
    ]);
  });

  it('as is a key that one of the variants lacks', () => {
    const text = 'matrix: {model.activation: [relu, kaf], model.activation.dictionary: [5]}';
    const [issue] = issuesOf(text);
    expect(underlined(text, issue!)).toBe('5');
    expect(issue!.got).toBe('the unknown key "dictionary" in the cell relu · dictionary 5');
  });

  it('but what is wrong with the experiment itself is told there, without a cell', () => {
    const text = 'training: {epochs: 0}\nmatrix: {seed: [1, 2]}';
    const [issue, ...others] = issuesOf(text);
    expect(others).toEqual([]);
    expect(underlined(text, issue!)).toBe('0');
    expect(issue!.got).toBe('0');
  });

  it('and an exclusion that nothing meets is warned of', () => {
    const text =
      'matrix: {training.threat.epsilon: [8/255], training.method: [pgd], exclude: [{training.threat.epsilon: 0.0313}]}';
    expect(issuesOf(text)).toMatchObject([{ severity: 'warning', got: 'none that does' }]);
    expect(cellsOf(text)).toHaveLength(1);
  });

  it('as is a value from outside for a key that is swept', () => {
    const of = (path: string) =>
      compileExperiment('matrix: {training.schedule: [constant]}', { ...options, overrides: { [path]: 3 } }).issues;
    expect(of('training.schedule.max').map(issueText)).toEqual([
      'training.schedule.max: expected a key that the matrix has no values for, got training.schedule.max',
    ]);
    expect(of('training.epochs')).toEqual([]);
  });

  it.each(['[*nowhere]', '&own [*own]', '*nowhere'])(
    'and an alias in an exclusion that stands for no value, %s, ends nothing',
    (value) => {
      const text = `matrix:\n  evaluation[0].steps: [1, 2]\n  training.epochs: [[*gone], 1]\n  exclude: [{training.epochs: ${value}}]\n`;
      // Nothing is the same as it, an axis's value that is none either.
      expect(compileExperiment(text, options).issues.map(({ path }) => path)).toContain('matrix.exclude');
    },
  );

  it('within the text, whatever is cut from it', () => {
    const text =
      'dataset: shapes\nmatrix:\n  model.activation: [relu, {type: kaf, dictionary: 8}]\n  zip:\n    - {training.epochs: 1, seed: 2}\n' +
      '  exclude: [{seed: 2}]\n  include:\n    - seed: 7\nseeds: [1]\n';
    fc.assert(
      fc.property(
        fc.nat(text.length),
        fc.nat(20),
        fc.constantFrom('', '*a', '&a ', '[', '{', ':', '\n'),
        (at, length, piece) => {
          const cut = text.slice(0, at) + piece + text.slice(at + length);
          for (const issue of compileExperiment(cut, options).issues) expect(isInside(cut, issue.range)).toBe(true);
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe('the identity of a plan', () => {
  const identity = (text: string, place = options) => planIdentity(compileExperiment(text, place).plans[0]!);

  it('is the same whatever the experiment is called, wherever published data lies, and on any number of threads', () => {
    const own = identity('dataset: cifar10');
    expect(own).toMatch(/^[0-9a-f]{32}$/);
    expect(identity('name: other\ndataset: {path: /data/c, name: cifar10}\nthreads: 3')).toBe(own);
    expect(identity('training: {epochs: 20}\ndataset: cifar10')).toBe(own);
  });

  it('is another for another seed, weight of a penalty, attack or folder of one’s own', () => {
    const texts = ['', 'seed: 1', 'model: {denseL2: 0.1}', 'evaluation: [pgd]', 'runtime: wasm'];
    texts.push('dataset: {name: folder, path: a}', 'dataset: {name: folder, path: b}');
    expect(new Set(texts.map((text) => identity(text))).size).toBe(texts.length);
  });
});
