// The reference of experiment files as Markdown, from the description of their keys. docs/experiment.md is this, formatted.
import { expectation } from './expectation.ts';
import type { GroupSetting, Keys, Setting, VariantSetting, Words } from './setting.ts';
import { experimentSettings } from './settings.ts';

/** A section a mapping: its keys in a table, its words and equations below. */
export function experimentMarkdown(): string {
  return [
    '# Experiment files',
    '<!-- Made by scripts/experimentDocs.mjs from server/experiment/settings.ts: do not edit. -->',
    [
      'An experiment is a YAML file named `*.kaf.yaml`. Every key may be left out: its default is below.',
      'Numbers may be fractions, such as `8/255`; lengths of perturbations are in pixel values of [0, 1].',
      'Where a mapping has a `name` or `type`, the bare word stands for the rest at its defaults: `activation: swish`.',
      'Equation numbers are those of Peconi (2020).',
    ].join('\n'),
    ...sections('', experimentSettings, new Map()),
    '',
  ].join('\n\n');
}

/** Where what may come again was described: lists that may hold themselves by name, variants by what there is to choose. */
type Seen = Map<unknown, string>;

function sections(path: string, setting: Setting, seen: Seen): string[] {
  const heading = path ? [`## \`${path}\``, setting.description] : [];
  switch (setting.kind) {
    case 'group':
      return [...heading, keyTable(setting.keys), ...wordLists(setting.keys), ...inner(path, setting.keys, seen)];
    case 'variant':
      if ((seen.get(setting.variants) ?? path) !== path) {
        return [...heading, `The same as \`${seen.get(setting.variants)}\`.`];
      }
      return [...heading, ...variantSections(path, setting, seen)];
    case 'list':
      if (setting.name !== null && seen.has(setting.name)) return [];
      if (setting.name !== null) seen.set(setting.name, path);
      return setting.item.kind === 'variant' || setting.item.kind === 'group'
        ? sections(`${path}[…]`, setting.item, seen)
        : [];
    case 'map':
      return [...heading, ...sections(`${path}.…`, setting.item, seen)];
    case 'paths':
      return [...heading, ...(Object.keys(setting.keys).length > 0 ? [keyTable(setting.keys)] : [])];
    case 'number':
    case 'word':
    case 'flag':
    case 'text':
      return [];
  }
  setting satisfies never;
}

function variantSections(path: string, setting: VariantSetting, described: Seen): string[] {
  const { tag } = setting;
  const byDefault = `Default: \`${setting.defaultText}\`.`;
  const parts = [tag === null ? byDefault : `Chosen by the key \`${tag}\`. ${byDefault}`];
  const seen: Keys[] = [];
  const nested: Record<string, Setting> = {};
  for (const [name, variant] of Object.entries(setting.variants)) {
    parts.push(`### \`${tag === null ? '' : `${tag}: `}${name}\``, variant.description);
    if (variant.equation) parts.push(equation(variant.equation));
    const own = tag === null ? variant.keys[name] : undefined;
    if (own?.kind === 'group') {
      parts.push(...ownSections(name, own));
      Object.assign(
        nested,
        Object.fromEntries(Object.entries(own.keys).map(([key, value]) => [`${name}.${key}`, value])),
      );
      continue;
    }
    const isAgain = seen.includes(variant.keys);
    seen.push(variant.keys);
    if (Object.keys(variant.keys).length === 0) continue;
    parts.push(isAgain ? 'The same keys as above.' : keyTable(variant.keys));
    if (!isAgain) parts.push(...wordLists(variant.keys));
    Object.assign(nested, variant.keys);
  }
  const later = Object.keys(setting.later).map((name) => (tag === null ? name : `${tag}: ${name}`));
  if (later.length > 0) parts.push(laterText(later));
  return [...parts, ...inner(path, nested, described)];
}

/** Of a variant that is told by its own key, what stands under that key. */
function ownSections(name: string, { keys, shorthand }: GroupSetting): string[] {
  if (Object.keys(keys).length === 0) return [];
  const bare = shorthand === null ? [] : [`\`${name}: …\` alone is its \`${shorthand}\`.`];
  return [keyTable(keys), ...wordLists(keys), ...bare];
}

/** What a mapping holds itself is described there, not within another of its keys. */
function inner(path: string, keys: Keys, seen: Seen): string[] {
  const at = (name: string) => (path ? `${path}.${name}` : name);
  for (const [name, setting] of Object.entries(keys)) {
    if (setting.kind === 'variant' && !seen.has(setting.variants)) seen.set(setting.variants, at(name));
  }
  return Object.entries(keys).flatMap(([name, setting]) => sections(at(name), setting, seen));
}

function keyTable(keys: Keys): string {
  const rows = Object.entries(keys).map(([name, setting]) => {
    const { defaultText, description } = setting;
    if (defaultText === '{}') return [`\`${name}\``, cell(valueText(setting)), 'below', cell(description)];
    const isCode = !setting.isDefaultComputed || /^[[{]\S*[\]}]$/.test(defaultText);
    return [
      `\`${name}\``,
      cell(valueText(setting)),
      isCode ? `\`${defaultText}\`` : cell(defaultText),
      cell(description),
    ];
  });
  const head = ['key', 'value', 'default', 'meaning'];
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function valueText(setting: Setting): string {
  if (setting.kind === 'map') return 'mapping of names, below';
  if (setting.kind === 'paths') return 'mapping, below';
  if (setting.kind === 'group' && Object.keys(setting.words).length === 0) return 'mapping, below';
  if (setting.kind === 'list' && setting.name !== null) return `list of ${setting.name}, below`;
  if (setting.kind === 'list' && (setting.item.kind === 'variant' || setting.item.kind === 'group'))
    return 'list of mappings, below';
  const unit = setting.kind === 'number' && setting.unit ? ` (${setting.unit})` : '';
  return `${expectation(setting).replace(/^an? /, '')}${unit}`;
}

/** What each word of the keys of a table means. */
function wordLists(keys: Keys): string[] {
  return Object.entries(keys).flatMap(([name, setting]) => {
    if (setting.kind === 'variant' || !('words' in setting)) return [];
    const words = Object.entries(setting.words);
    if (words.length === 0) return [];
    const present = words.filter(([, word]) => !word.isLater);
    const lines = present.map(
      ([word, about]) => `- \`${name}: ${word}\`: ${about.description}${inlineEquation(about)}`,
    );
    const later = words.filter(([, word]) => word.isLater).map(([word]) => `${name}: ${word}`);
    return [lines.join('\n'), ...(later.length > 0 ? [laterText(later)] : [])];
  });
}

function inlineEquation(word: Words[string]): string {
  return word.equation ? ` \`${word.equation}\`` : '';
}

function laterText(names: readonly string[]): string {
  return `Not in this version yet: ${names.map((name) => `\`${name}\``).join(', ')}.`;
}

function equation(text: string): string {
  return `\`\`\`text\n${text}\n\`\`\``;
}

function cell(text: string): string {
  return text.replace(/\|/g, '\\|');
}
