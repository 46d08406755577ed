// The reference of formulas as Markdown: the language, and the activation functions that are formulas. docs/formulas.md is this,
// formatted.
import { activationFunction, type ActivationFunction, usualActivation } from '../formula/activationFunction.ts';
import { activations, type ActivationName } from '../formula/activations.ts';
import { cornersOf, gainOf } from '../formula/analysis.ts';
import { formulaConstants, formulaFunctions, formulaLimits } from '../formula/parseFormula.ts';

export function formulaMarkdown(): string {
  return [
    '# Formulas',
    '<!-- Made by scripts/experimentDocs.mjs from server/formula: do not edit. -->',
    introduction,
    '## The language',
    language,
    table(
      ['function', 'meaning'],
      [...formulaFunctions.values()].map(({ call, description }) => [`\`${call}\``, description]),
    ),
    `Constants: ${Object.entries(formulaConstants)
      .map(([name, value]) => `\`${name}\` = ${value.toFixed(6)}…`)
      .join(', ')}.`,
    limits,
    '## Its derivative',
    derivative,
    '## Its gain',
    gain,
    '## Those with a name',
    named,
    table(
      ['`type`', 'formula', 'trained, from', 'gain', 'not differentiable at'],
      (Object.keys(activations) as ActivationName[]).map(namedRow),
    ),
    '',
  ].join('\n\n');
}

const introduction = `An activation function may be typed. It is compiled for every runtime, as fast as those with a name, which are formulas too; its parameters are trained, a value of its own for each channel.

\`\`\`yaml
model:
  activation: { type: formula, formula: 'x * sigmoid(b * x)', parameters: { b: 1 } }
\`\`\`

A parameter has a value to start from, or \`{start: 1, min: 0.1, max: 10}\`: after every step it is brought back between the two.

\`\`\`yaml
model:
  activation:
    type: formula
    formula: where(x > 0, x, a * expm1(x / a))
    parameters: { a: { start: 1, min: 0.1 } }
\`\`\`

A mistake is underlined at its place. The hover over the formula draws it and its derivative, and says its gain and where it has no derivative. The Activations tab shows the curve of every channel while it is trained.`;

const language = `\`x\` is the input; other names are parameters. Numbers are written \`2\`, \`0.5\` or \`1e-3\`. From the loosest to the tightest: \`+\` and \`-\`; \`*\` and \`/\`; a sign before; \`^\` (or \`**\`), from the right: \`-x^2\` is −(x²). Conditions stand only in \`where\`: \`<\`, \`<=\`, \`>\`, \`>=\`, \`==\`, \`!=\` between values, joined by \`and\`, \`or\` and \`not\`.`;

const limits = `A formula has at most ${formulaLimits.characters} characters and ${formulaLimits.depth} levels of nesting; powers by a number are at most ${formulaLimits.power}. No code is run: what is not in this language is refused.`;

const derivative = `The derivative is made from the formula, by x and by each parameter, and simplified. At a corner it is one side's: 0 for \`abs(u)\` at 0, the second argument's for \`max\` and \`min\` of equal values (a number always counts as the second, so \`max(0, x)\` has the slope 0 at 0, as ReLU has). The branches of \`where\` are differentiated apart: what is not taken may be infinite. Where an outer slope is 0, nothing of what is inside counts, so that a formula that is finite at the ends of float32 has a finite derivative there.`;

const gain = `By how much a layer lets gradients grow on their way back, behind a batch normalisation: √(E f′(z)² / Var f(z)) for z ~ N(0, 1). At 1 they keep their size however deep the network is; at 1.1 they grow 200-fold over 56 layers. It is computed at the values that the parameters start from.`;

const named =
  'At the numbers that an experiment has where it says none; [experiment.md](experiment.md) has their keys and sources.';

function namedRow(type: ActivationName): string[] {
  const described = activationFunction(usualActivation(type));
  const { text } = described.formula;
  const slope = text.slope === undefined ? '' : `; for the gradient \`${text.slope}\``;
  return [
    `\`${type}\``,
    `\`${text.formula}\`${slope}`,
    described.parameters.map(({ name, start }) => `${name} = ${start}`).join(', '),
    gainOf(described).toFixed(3),
    cornersText(described),
  ];
}

function cornersText(described: ActivationFunction): string {
  return cornersOf(described)
    .map(({ x, isJump }) => `${x}${isJump ? ' (it jumps)' : ''}`)
    .join(', ');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');
}
