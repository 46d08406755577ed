// The language features as pure functions. A `|` in a text marks the cursor.
import { evaluationNames } from '../../server/protocol/evaluationTable.ts';
import { methodNames } from '../../server/protocol/methodTable.ts';
import { activations as formulas } from '../../server/formula/activations.ts';
import fc from 'fast-check';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CompletionItem, TextEdit } from 'vscode-languageserver';
import { codeLenses } from '../../server/language/codeLenses.ts';
import { complete } from '../../server/language/complete.ts';
import { diagnose, quickFixes } from '../../server/language/diagnose.ts';
import { hover } from '../../server/language/hover.ts';
import { isInside, scrambled } from '../experiment/scrambled.ts';

const options = { file: '/projects/first.kaf.yaml', homeFolder: '/home/user' };
const example = fs.readFileSync(path.join(import.meta.dirname, '../../examples/kaf-light-robust.kaf.yaml'), 'utf8');

function atCursor(marked: string): [string, { line: number; character: number }] {
  const before = marked.slice(0, marked.indexOf('|')).split('\n');
  return [marked.replace('|', ''), { line: before.length - 1, character: before.at(-1)!.length }];
}

function labels(marked: string): string[] {
  return complete(...atCursor(marked)).map((item) => item.label);
}

/** The text after the item is chosen, with a snippet's places as they first stand. */
function chosen(marked: string, label: string): string {
  const [text, position] = atCursor(marked);
  const item = complete(text, position).find((found: CompletionItem) => found.label === label);
  if (!item?.textEdit) return `no ${label}`;
  const { range, newText } = item.textEdit as TextEdit;
  const lines = text.split('\n');
  const plain = newText
    .replace(/\$\{\d\|([^,|]*)[^}]*\|\}/g, '$1')
    .replace(/\$\{\d:([^}]*)\}/g, '$1')
    .replace(/\$\d/g, '');
  const line = lines[range.start.line] ?? '';
  lines[range.start.line] = line.slice(0, range.start.character) + plain + line.slice(range.end.character);
  return lines.join('\n');
}

const top = [
  'name',
  'dataset',
  'model',
  'training',
  'observe',
  'checkpoints',
  'evaluation',
  'seed',
  'seeds',
  'matrix',
  'parts',
  'runtime',
  'threads',
];
const activations = [
  ...[
    'kaf',
    'residual-kaf',
    'kaf-free',
    'multi-kaf',
    'kaf-2d',
    ...Object.keys(formulas),
    'formula',
    'k-wta',
    'spline',
    'maxout',
  ],
];

/** Layers declared in an experiment, in the block form. */
function declared(...lines: string[]): string {
  return ['model:', '  network:', '    layers:', ...lines.map((line) => `      ${line}`)].join('\n');
}

describe('completion of layers', () => {
  it('offers every kind behind the dash of a list, on the line below its key and in brackets', () => {
    const kinds = ['conv', 'dense', 'activation', 'batch-norm', 'layer-norm', 'group-norm', 'dropout', 'max-pool'];
    kinds.push('average-pool', 'global-average-pool', 'flatten', 'repeat', 'block', 'residual', 'concat');
    expect(labels(declared('- conv: 8', '- |'))).toEqual(kinds);
    expect(labels(declared('- conv: 8', '- ma|'))).toEqual(kinds);
    expect(labels(declared('|'))).toEqual(kinds.map((kind) => `- ${kind}`));
    expect(labels('model: {network: {layers: [{|}]}}')).toEqual(kinds);
    expect(labels(declared('- repeat:', '    layers:', '      - |'))).toEqual(kinds);
  });

  it('writes each with what it takes', () => {
    expect(chosen(declared('- |'), 'conv')).toBe(declared('- conv: 32'));
    expect(chosen(declared('- |'), 'dense')).toBe(declared('- dense: classes'));
    expect(chosen(declared('- |'), 'dropout')).toBe(declared('- dropout: 0.5'));
    expect(chosen(declared('- |'), 'batch-norm')).toBe(declared('- batch-norm'));
    expect(chosen(declared('- |'), 'activation')).toBe(declared('- activation'));
    expect(chosen(declared('- |'), 'flatten')).toBe(declared('- flatten'));
    expect(chosen('model: {network: {layers: [{|}]}}', 'residual')).toBe(
      'model: {network: {layers: [{residual: {branch: []}}]}}',
    );
  });

  it('offers the keys of a layer, and the words of each', () => {
    expect(labels(declared('- conv: {channels: 8, |}'))).toEqual([
      ...['size', 'stride', 'padding', 'bias', 'initializer', 'name'],
    ]);
    expect(labels(declared('- max-pool: {padding: |}'))).toEqual(['same', 'valid']);
    expect(labels(declared('- activation: |'))).toEqual(activations);
  });
});

describe('a matrix', () => {
  it('offers the paths of keys where the text stands, and its own keys', () => {
    const offered = labels('model: {activation: kaf}\nmatrix:\n  |');
    expect(offered.slice(0, 3)).toEqual(['zip', 'include', 'exclude']);
    expect(offered).toEqual(
      expect.arrayContaining(['seed', 'dataset', 'model.activation', 'model.activation.dictionary', 'training.epochs']),
    );
    for (const never of ['name', 'seeds', 'matrix', 'model.activation.alpha']) expect(offered).not.toContain(never);
    expect(labels('evaluation: [pgd]\nmatrix: {exclude: [{|}]}')).toContain('evaluation[0].steps');
  });

  it('offers the values of a path within its list', () => {
    expect(labels('matrix: {model.activation: [|]}')).toEqual(activations);
    expect(labels('matrix: {model.activation: [relu, {type: kaf, |}]}')).toContain('boundary');
    expect(labels('matrix: {zip: [{model.activation: |}]}')).toEqual(activations);
    expect(chosen('matrix:\n  |', 'seed')).toBe('matrix:\n  seed: []');
  });

  it('tells what a path and its values mean where the pointer rests on them', () => {
    const shown = (marked: string) => (hover(...atCursor(marked))?.contents as { value: string } | undefined)?.value;
    expect(shown('matrix: {model.activa|tion: [relu]}')).toContain('**matrix.model.activation**');
    expect(shown('matrix: {model.activation: [re|lu]}')).toContain('**relu**');
    expect(shown('mat|rix: {seed: [1]}')).toContain('A sweep');
  });
});

describe('a layer’s own activation', () => {
  it('is drawn where the pointer rests on it, and a mistake in its formula is underlined there', async () => {
    const text = declared('- conv: 8', '- activation: relu', '- flatten', '- dense');
    const at = atCursor(text.replace('relu', 're|lu'));
    const shown = hover(...at)?.contents as { value: string };
    expect(shown.value).toContain('data:image/svg+xml');
    const wrong = declared('- activation: {formula: "x * sigmod(x)"}', '- flatten', '- dense');
    const [issue] = await diagnose(wrong, options);
    expect(issue!.message).toContain('sigmoid');
    expect(
      wrong.split('\n')[issue!.range.start.line]!.slice(issue!.range.start.character, issue!.range.end.character),
    ).toBe('sigmod');
  });

  it('has completion in its formula, with its own parameters', () => {
    const items = labels(declared('- activation: {formula: "q|", parameters: {quick: 1}}', '- flatten', '- dense'));
    expect(items.slice(0, 2)).toEqual(['x', 'quick']);
  });
});

describe('completion of keys', () => {
  it.each([
    ['in an empty file', '|', top],
    ['on a half-written word', 'name: a\ntra|', top.slice(1)],
    [
      'between other lines, without those there',
      'name: a\n|\nseed: 1\n',
      top.filter((key) => key !== 'name' && key !== 'seed'),
    ],
    [
      'on an indented empty line',
      'model:\n  |\nseed: 1',
      [
        'network',
        'activation',
        'initializer',
        'dropout',
        'denseL2',
        'convolutionL2',
        'alphaL1',
        'alphaL2',
        'spectralNorm',
        'normalization',
      ],
    ],
    [
      'after other keys of a block',
      'model:\n  network: vgg\n  dro|',
      [
        'activation',
        'initializer',
        'dropout',
        'denseL2',
        'convolutionL2',
        'alphaL1',
        'alphaL2',
        'spectralNorm',
        'normalization',
      ],
    ],
    [
      'in braces',
      'model: {|}',
      [
        'network',
        'activation',
        'initializer',
        'dropout',
        'denseL2',
        'convolutionL2',
        'alphaL1',
        'alphaL2',
        'spectralNorm',
        'normalization',
      ],
    ],
    ['in braces after a comma', 'training: {optimizer: {type: sgd, |}}', ['momentum', 'weightDecay', 'nesterov']],
    ['in braces that are still open', 'training: {optimizer: {type: sgd, |', ['momentum', 'weightDecay', 'nesterov']],
    [
      'of the default variant',
      'model:\n  activation:\n    |',
      ['type', 'kernel', 'dictionary', 'boundary', 'gamma', 'init'],
    ],
    ['of a chosen variant', 'model:\n  activation:\n    type: elu\n    |', ['alpha']],
    ['as the first item of a list', 'evaluation:\n  |', ['- {attack: pgd}']],
    ['among which to choose', 'model: {activation: {init: {|}}}', ['normal', 'ridge']],
    ['beside the one chosen', 'model: {activation: {init: {ridge: elu, |}}}', ['epsilon']],
    [
      'in a list item',
      'evaluation:\n  - attack: pgd\n    steps: 3\n    re|',
      [
        'norm',
        'epsilon',
        'stepSize',
        'restarts',
        'loss',
        'target',
        'momentum',
        'epsilons',
        'samples',
        'batchSize',
        'keep',
        'seed',
        'weights',
        'protocol',
      ],
    ],
    [
      'in a list item in braces',
      'evaluation:\n  - {attack: pgd, steps: 50, restarts: 10, norm: linf, |}',
      [
        'epsilon',
        'stepSize',
        'loss',
        'target',
        'momentum',
        'epsilons',
        'samples',
        'batchSize',
        'keep',
        'seed',
        'weights',
        'protocol',
      ],
    ],
  ])('%s', (_, marked, expected) => {
    expect(labels(marked)).toEqual(expected);
  });

  it.each([
    ['a number with its default', 'training:\n  ep|', 'epochs', 'training:\n  epochs: 20'],
    ['a word with the default first', '|', 'runtime', 'runtime: auto'],
    ['a variant without keys as its word', 'model: {|}', 'network', 'model: {network: light}'],
    ['a group on lines of its own', '|', 'training', 'training:\n  '],
    ['a group in braces', 'model: {normal|}', 'normalization', 'model: {normalization: none}'],
    ['a variant as a mapping', 'training:\n  |', 'optimizer', 'training:\n  optimizer: {type: adam}'],
    ['the first item of a list', 'evaluation:\n  |', '- {attack: pgd}', 'evaluation:\n  - {attack: pgd}'],
    ['a list of variants', '|', 'evaluation', 'evaluation:\n  - {attack: pgd}'],
    ['only the key where a colon follows', 'training:\n  epo|: 5', 'epochs', 'training:\n  epochs: 5'],
  ])('writes %s', (_, marked, label, text) => {
    expect(chosen(marked, label)).toBe(text);
  });

  it('tells description, unit, range and default', () => {
    const item = complete(...atCursor('training: {|}')).find(({ label }) => label === 'batchSize');
    expect(item?.detail).toBe('default: 128, or all training images where there are fewer');
    expect((item?.documentation as { value: string }).value).toContain('integer in [1, 4096], images');
  });
});

describe('completion in a formula', () => {
  const own = (formula: string) =>
    `model:\n  activation: {type: formula, formula: "${formula}", parameters: {beta: 1}}\n`;
  const items = (formula: string) => complete(...atCursor(own(formula)));

  it('offers the input, the parameters, the functions and the constants', () => {
    const offered = items('x * |').map(({ label }) => label);
    expect(offered.slice(0, 3)).toEqual(['x', 'beta', 'exp']);
    expect(offered).toEqual(expect.arrayContaining(['sigmoid', 'where', 'clip', 'pi', 'e']));
  });

  it.each([
    ['x * sig|', 'sigmoid', 'x * sigmoid($0)'],
    ['tanh(sig|moid', 'exp', 'tanh(exp($0)'],
    ['x+be|', 'beta', 'x+beta'],
  ])('of %s replaces the name at the cursor', (formula, label, completed) => {
    const [text] = atCursor(own(formula));
    const edit = items(formula).find((item) => item.label === label)!.textEdit as TextEdit;
    const lines = text.split('\n');
    const line = lines[edit.range.start.line]!;
    lines[edit.range.start.line] =
      line.slice(0, edit.range.start.character) + edit.newText + line.slice(edit.range.end.character);
    expect(lines.join('\n')).toBe(own(completed));
  });

  it('is told in the hover over the key', () => {
    const [text, position] = atCursor('model: {activation: {type: formula, form|ula: "x"}}');
    const { value } = hover(text, position)!.contents as { value: string };
    expect(value).toContain('It may call `exp(u)`');
    expect(value).toContain('`clip(u, low, high)`');
  });
});

describe('completion of values', () => {
  it.each([
    ['words', 'runtime: |', ['auto', 'wasm', 'torch', 'tensorflow', 'cpu']],
    ['words, half-written', 'training:\n  method: fg|', methodNames],
    ['the tag of a variant', 'model: {activation: {type: |}}', activations],
    ['a variant as a bare word', 'model: {activation: |}', activations],
    ['a variant in a list', 'evaluation: [|]', evaluationNames],
    ['the default of a number', 'training: {epochs: |}', ['20']],
    ['words and default of a number', 'model: {activation: {gamma: |}}', ['auto']],
    ['a fraction', 'training: {threat: {epsilon: |}}', ['8/255']],
    ['true and false', 'training: {augmentation: {flip: |}}', ['true', 'false']],
    ['a choice of mappings', 'model: {activation: {init: |}}', ['{normal: 0.3}', '{ridge: elu}']],
    ['a path', 'dataset: {name: cifar10, path: |}', ['~/data/cifar-10-batches-bin']],
    ['nothing where only a mapping may stand', 'training: |', []],
    ['nothing under an unknown key', 'trainig: {epochs: |}', []],
    ['nothing in a comment', 'runtime: auto # |', []],
  ])('offers %s', (_, marked, expected) => {
    expect(labels(marked)).toEqual(expected);
  });

  it('replaces the whole word, hyphens and all', () => {
    expect(chosen('training: {method: fgsm|-x}', 'fgsm-rs')).toBe('training: {method: fgsm-rs}');
    expect(chosen('training: {threat: {epsilon: 4|/255}}', '8/255')).toBe('training: {threat: {epsilon: 8/255}}');
  });

  it('every key and word offered in the example compiles there', async () => {
    const words = complete(...atCursor(example.replace('type: kaf', 'type: |'))).map(({ label }) => label);
    for (const word of words) {
      const text = example.replace(/activation: .*/, `activation: ${word}`);
      expect(await diagnose(text, options)).toEqual([]);
    }
  });
});

describe('hover', () => {
  const hovered = (marked: string) => {
    const found = hover(...atCursor(marked));
    return found && (found.contents as { value: string }).value;
  };

  it('over a key tells its path, description, unit, range and default', () => {
    expect(hovered('training: {bat|chSize: 5}')).toBe(
      '**training.batchSize**\n\nImages in a training step.\n\ninteger in [1, 4096], images\n\nDefault: 128, or all training images where there are fewer',
    );
  });

  it('over a word tells its description and equation', () => {
    expect(hovered('model: {activation: {type: k|af}}')).toContain('f(x) = Σᵢ αᵢ κ(x, dᵢ)');
    expect(hovered('model: {activation: sw|ish}')).toContain('f(x) = x·σ(x)');
    expect(hovered('training: {method: |fgsm-rs}')).toContain('sign ∇ₓℓ');
    expect(hovered('evaluation:\n  - {attack: pg|d}')).toContain('x₀ ~ U(B(x, ε))');
  });

  it('over an activation function draws it, with its gain and its corners', () => {
    const typed = (formula: string, parameters = '{}') =>
      hovered(`model: {activation: {type: formula, formula: "${formula}", parameters: ${parameters}}}`);
    const own = typed('x * sig|moid(b * x)', '{b: 1}');
    expect(own).toMatch(/!\[f and its derivative from −5 to 5\]\(data:image\/svg\+xml;base64,[A-Za-z0-9+/=]+\)/);
    expect(own).toContain('Gain per layer after batch normalisation: **1.101** (over 56 layers gradients grow 218 ×).');
    expect(own).toContain('Differentiable everywhere.');
    expect(own).toContain('Drawn at b = 1.');
    expect(typed('max(|x, 0) + 0')).toContain('Not differentiable at x = 0 (slope 0 → 1).');
    expect(typed('where(x| > 1, x, 0)')).toContain('Not differentiable at x = 1 (it jumps).');
    expect(typed('x| + 0 * x')).toContain('**1.000** (gradients keep their size)');
    expect(hovered('model: {activation: re|lu}')).toContain('**1.211**');
    expect(hovered('model: {activation: {type: pre|lu, slope: 0.5}}')).toContain('Drawn at slope = 0.5.');
    for (const plain of [typed('x * sig|mod(x)'), hovered('model: {net|work: vgg}')]) {
      expect(plain).not.toContain('data:image');
    }
  });

  it('draws a broken curve where a formula has no value', () => {
    const [, coded] = /base64,([^)]+)/.exec(
      hovered('model: {activation: {type: formula, formula: "sqrt(|x)"}}') ?? '',
    )!;
    const svg = Buffer.from(coded!, 'base64').toString();
    expect(svg).not.toContain('NaN');
    const starts = [...svg.matchAll(/ d="M(\d+)[^"]*L/g)].map(([, x]) => Number(x));
    expect(starts).toHaveLength(2);
    expect(Math.min(...starts)).toBeGreaterThanOrEqual(140);
  });

  it('over a word of a later version says so', () => {
    expect(hovered('runtime: web|gpu')).toContain('Not in this version');
  });

  it('over a fraction tells its value', () => {
    expect(hovered('training: {threat: {epsilon: 8/|255}}')).toContain('8/255 = 0.03137');
  });

  it('underlines what it is about', () => {
    expect(hover(...atCursor('model:\n  net|work: vgg'))?.range).toEqual({
      start: { line: 1, character: 2 },
      end: { line: 1, character: 9 },
    });
  });

  it('is silent over unknown keys, comments and blank lines', () => {
    expect([hovered('mo|dle: 1'), hovered('# mo|del'), hovered('seed: 1\n|\n')]).toEqual([null, null, null]);
  });
});

describe('diagnostics', () => {
  it('are the issues, with source, path and a whole sentence', async () => {
    expect(await diagnose('training:\n  epochs: many\n', options)).toEqual([
      {
        range: { start: { line: 1, character: 10 }, end: { line: 1, character: 14 } },
        severity: 1,
        source: 'kafscope',
        code: 'training.epochs',
        message: 'Expected an integer in [1, 10000], got "many". Write a number, for example 20.',
      },
    ]);
  });

  it('tell warnings from errors', async () => {
    expect((await diagnose('training: {threat: {epsilon: 8/255}}', options)).map(({ severity }) => severity)).toEqual([
      2,
    ]);
  });

  it.each([
    ['an unknown key', 'training: {epocs: 5}', 'training: {epochs: 5}'],
    ['an unknown word', 'model: {network: vgk}', 'model: {network: vgg}'],
    [
      'a length in 255ths',
      'training: {method: fgsm-rs, threat: {epsilon: 8}}',
      'training: {method: fgsm-rs, threat: {epsilon: 8/255}}',
    ],
  ])('have a quick fix for %s', async (_, text, mended) => {
    const actions = quickFixes('file:///a.kaf.yaml', await diagnose(text, options));
    const { range, newText } = actions[0]!.edit!.changes!['file:///a.kaf.yaml']![0]!;
    const result = text.slice(0, range.start.character) + newText + text.slice(range.end.character);
    expect([actions.length, result]).toEqual([1, mended]);
    expect(await diagnose(result, options)).toEqual([]);
  });

  it('of other tools get no fix from us', async () => {
    const foreign = { ...(await diagnose('sed: 1', options))[0]!, source: 'yaml' };
    expect(quickFixes('file:///a.kaf.yaml', [foreign])).toEqual([]);
  });
});

it('code lenses stand above the first line and the data set, and hand the URI to their commands', async () => {
  const lensesOf = async (text: string) =>
    (await codeLenses('file:///a.kaf.yaml', text)).map(({ command, range }) => [
      command?.title,
      command?.command,
      command?.arguments,
      range.start.line,
    ]);
  const first = [
    ['▶ Train', 'kafscope.train', ['file:///a.kaf.yaml'], 0],
    ['Train one epoch', 'kafscope.trainOneEpoch', ['file:///a.kaf.yaml'], 0],
    ['Find learning rate', 'kafscope.findLearningRate', ['file:///a.kaf.yaml'], 0],
  ];
  const shown = (line: number) => ['Show dataset', 'kafscope.showDataset', ['file:///a.kaf.yaml'], line];
  expect(await lensesOf('name: a\n# dataset: no\ndataset:\n  name: folder\n')).toEqual([...first, shown(2)]);
  expect(await lensesOf('name: a\nmodel: {dataset: no}\n')).toEqual([...first, shown(0)]);
  expect(await lensesOf('seeds: [1, 2]\nmatrix: {model.activation: [relu, elu]}')).toEqual([
    ['▶ Start sweep of 4 runs', 'kafscope.startSweep', ['file:///a.kaf.yaml'], 0],
    ...[first[2], shown(0)],
  ]);
  // In parts by a sweep, or uncut.
  expect(await lensesOf('evaluation: [pgd]\nparts: 3')).toEqual([
    ['▶ Start sweep of 4 runs', 'kafscope.startSweep', ['file:///a.kaf.yaml'], 0],
    ...[...first, shown(0)],
  ]);
  expect(await lensesOf('evaluation: [pgd]\nparts: 1')).toEqual([...first, shown(0)]);
  expect((await lensesOf('seeds: [1, 2]'))[0]![0]).toBe('▶ Train');
  expect((await lensesOf('matrix: {seed: [1, x]}'))[0]![0]).toBe('▶ Train');
});

it('no text and no position makes a feature throw, and what they point at lies in the text', async () => {
  const texts = fc.oneof(fc.string(), scrambled(fc.constant(example)), fc.constant('{a: &b {c: *b}}'));
  await fc.assert(
    fc.asyncProperty(texts, fc.nat({ max: 20 }), fc.nat({ max: 60 }), async (text, line, character) => {
      const nLines = text.split('\n').length;
      const position = { line: line % nLines, character: Math.min(character, text.split('\n')[line % nLines]!.length) };
      complete(text, position);
      const range = hover(text, position)?.range;
      if (range) expect(isInside(text, range)).toBe(true);
      for (const diagnostic of await diagnose(text, options)) expect(isInside(text, diagnostic.range)).toBe(true);
    }),
    { numRuns: 500 },
  );
});
