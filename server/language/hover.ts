// What a key or value means, where the pointer rests.
import type { Hover } from 'vscode-languageserver';
import { activationIn } from '../experiment/compileExperiment.ts';
import { parseNumber } from '../experiment/parseNumber.ts';
import type { Setting, Word } from '../experiment/setting.ts';
import { tagSetting } from '../experiment/readSettings.ts';
import { formulaFunctions } from '../formula/parseFormula.ts';
import { activationMarkdown } from './activationMarkdown.ts';
import { pointedAt } from './cursorPlace.ts';
import type { TextPosition } from './cursorPlace.ts';
import { settingMarkdown, wordMarkdown } from './settingMarkdown.ts';

/** Description, unit, range, default, and the equation of an activation function or method; null where there is no key or value. */
export function hover(text: string, position: TextPosition): Hover | null {
  const found = pointedAt(text, position);
  if (!found) return null;
  const { setting, path, part, written, range } = found;
  const word = written === null ? undefined : wordOf(setting, written);
  const parts = part === 'key' || !word ? [settingMarkdown(path, setting)] : [];
  if (word && written !== null) parts.push(wordMarkdown(written, word));
  const curve = activationPath.test(path) ? curveOf(text, path) : null;
  if (curve) parts.push(curve);
  if (path.endsWith('.activation.formula') && part === 'key') parts.push(functionsText());
  const value = written === null ? undefined : fractionText(setting, written);
  if (value) parts.push(value);
  return { contents: { kind: 'markdown', value: parts.join('\n\n---\n\n') }, range };
}

/** Where an activation function is drawn. */
const activationPath = /\.activation(\.type|\.formula)?$/;

function functionsText(): string {
  const calls = [...formulaFunctions.values()].map(({ call }) => `\`${call}\``);
  return `It may call ${calls.join(', ')}; \`pi\` and \`e\` are numbers.`;
}

function curveOf(text: string, path: string): string | null {
  const plan = activationIn(text, path, { file: null, homeFolder: '' });
  return plan && activationMarkdown(plan);
}

function wordOf(setting: Setting, written: string): Word | undefined {
  const named = setting.kind === 'variant' && setting.tag !== null ? tagSetting(setting) : setting;
  const words = 'words' in named ? named.words : {};
  return Object.hasOwn(words, written) ? words[written] : undefined;
}

/** `8/255 = 0.0314`: what a fraction is as a number. */
function fractionText(setting: Setting, written: string): string | undefined {
  if (setting.kind !== 'number' || !written.includes('/')) return undefined;
  const value = parseNumber(written);
  return value === undefined ? undefined : `${written} = ${Number(value.toPrecision(4))}`;
}
