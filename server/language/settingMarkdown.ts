// A setting or one of its words as Markdown, for hovers and the documentation beside completions.
import { expectation, rangeText } from '../experiment/expectation.ts';
import type { Setting, Word } from '../experiment/setting.ts';

/** Heading, description, equation, choices, then unit, range and default. */
export function settingMarkdown(path: string, setting: Setting): string {
  const parts = [`**${path}**`, setting.description];
  const choices = choicesOf(setting);
  if (choices.length > 0) parts.push(choices.map(([name, word]) => `- \`${name}\`: ${word.description}`).join('\n'));
  if (setting.kind === 'number') {
    const kind = setting.isInteger ? 'integer' : 'number';
    parts.push(`${kind} in ${rangeText(setting.range)}${setting.unit ? `, ${setting.unit}` : ''}`);
  } else if (setting.kind === 'list') {
    parts.push(expectation(setting));
  }
  const { defaultText, isDefaultComputed } = setting;
  if (defaultText !== '{}') parts.push(isDefaultComputed ? `Default: ${defaultText}` : `Default: \`${defaultText}\``);
  return parts.join('\n\n');
}

/** A word such as `kaf` or `fgsm-rs`, with its equation. */
export function wordMarkdown(name: string, word: Word): string {
  const parts = [`**${name}**`, word.description];
  if (word.equation) parts.push(`\`\`\`text\n${word.equation}\n\`\`\``);
  if (word.isLater) parts.push('_Not in this version of Kafscope yet._');
  return parts.join('\n\n');
}

/** The words that may stand for a setting, with those of later versions left out. */
export function choicesOf(setting: Setting): [string, Word][] {
  const words = setting.kind === 'variant' ? setting.variants : 'words' in setting ? setting.words : {};
  return Object.entries(words).filter(([, word]) => !word.isLater);
}
