// Completion of keys (with their defaults as snippets) and of values.
import { CompletionItemKind, InsertTextFormat } from 'vscode-languageserver';
import type { CompletionItem } from 'vscode-languageserver';
import { isMap } from 'yaml';
import { chosenVariant, keysOf } from '../experiment/settingAt.ts';
import { keyName, tagSetting } from '../experiment/readSettings.ts';
import type { Setting, VariantSetting } from '../experiment/setting.ts';
import { completeFormula } from './completeFormula.ts';
import { cursorPlace } from './cursorPlace.ts';
import type { CursorPlace, TextPosition } from './cursorPlace.ts';
import { choicesOf, settingMarkdown, wordMarkdown } from './settingMarkdown.ts';

/** What may stand at a position, in the order of the description; empty where nothing of an experiment may. */
export function complete(text: string, position: TextPosition): CompletionItem[] {
  const inFormula = completeFormula(text, position);
  if (inFormula) return inFormula;
  const place = cursorPlace(text, position);
  if (!place) return [];
  const items = place.kind === 'key' ? keyItems(place) : valueItems(place.setting);
  return items.map((item, index) => ({
    ...item,
    sortText: String(index).padStart(3, '0'),
    textEdit: { range: place.wordRange, newText: item.newText },
    insertTextFormat: InsertTextFormat.Snippet,
  }));
}

type Item = CompletionItem & { readonly newText: string };

function keyItems({ setting, document, node, isFlow, hasColon }: CursorPlace): Item[] {
  if (setting.kind === 'list') return firstItems(setting.item);
  const isOpen = setting.kind === 'variant' && setting.tag === null && !chosenVariant(setting, document, node);
  if (isOpen && !hasColon) return variantItems(setting, isFlow);
  const present = isMap(node) ? node.items.map(keyName) : [];
  return Object.entries(keysAt(setting, document, node))
    .filter(([name]) => !present.includes(name))
    .map(([name, inner]) => ({
      label: name,
      kind: CompletionItemKind.Property,
      detail: inner.defaultText === '{}' ? 'default: each key’s own' : `default: ${inner.defaultText}`,
      documentation: { kind: 'markdown', value: settingMarkdown(name, inner) },
      newText: hasColon ? name : `${name}:${valueSnippet(inner, isFlow)}`,
    }));
}

/** On the line below the key of a list: its first item. */
function firstItems(item: Setting): Item[] {
  if (item.kind === 'list') return [{ label: '- - …', kind: CompletionItemKind.Struct, newText: '- - $0' }];
  if (item.kind !== 'variant') return [];
  if (item.tag === null) {
    return variantItems(item, false).map((each) => ({
      ...each,
      label: `- ${each.label}`,
      newText: `- ${each.newText}`,
    }));
  }
  return [
    {
      label: `- {${item.tag}: ${item.defaultText}}`,
      kind: CompletionItemKind.Struct,
      documentation: { kind: 'markdown', value: settingMarkdown(item.tag, item) },
      newText: `- {${item.tag}: ${choiceSnippet(item, item.defaultText)}$0}`,
    },
  ];
}

/** The variants that are told by their own keys: with a value where they take one, else the word alone. */
function variantItems(setting: VariantSetting, isFlow: boolean): Item[] {
  return Object.entries(setting.variants).map(([name, variant]) => {
    const own = variant.keys[name];
    return {
      label: name,
      kind: CompletionItemKind.Property,
      ...(own && own.defaultText !== '{}' ? { detail: `default: ${own.defaultText}` } : {}),
      documentation: { kind: 'markdown', value: wordMarkdown(name, variant) },
      newText: own ? `${name}${ownSnippet(own, isFlow)}` : name,
    };
  });
}

/** What follows the key of such a variant; nothing where it is seldom more than its word. */
function ownSnippet(own: Setting, isFlow: boolean): string {
  if (own.kind === 'variant' && own.isDefaultComputed) return '';
  if (own.kind === 'list') return isFlow ? ': [$0]' : ':\n    - $0';
  if (own.kind !== 'group') return `:${valueSnippet(own, isFlow)}`;
  if (own.shorthand !== null) return `:${valueSnippet(own.keys[own.shorthand]!, isFlow)}`;
  const lists = Object.entries(own.keys).filter(([, inner]) => inner.kind === 'list');
  if (lists.length === 0) return '';
  const [name] = lists[0]!;
  return isFlow ? `: {${name}: [$0]}` : `:\n    ${name}:\n      - $0`;
}

/** The keys of a mapping with the tag of its variant, or the keys among which to choose a variant. */
function keysAt(setting: Setting, document: CursorPlace['document'], node: unknown): Readonly<Record<string, Setting>> {
  const keys = keysOf(setting, document, node);
  if (setting.kind !== 'variant') return keys;
  if (setting.tag !== null) return { [setting.tag]: tagSetting(setting), ...keys };
  if (chosenVariant(setting, document, node) !== undefined) return keys;
  const own = Object.entries(setting.variants).map(([name, variant]) => [name, variant.keys[name]] as const);
  return Object.fromEntries(own.filter((entry): entry is readonly [string, Setting] => entry[1] !== undefined));
}

/** What follows the colon of a new key. */
function valueSnippet(setting: Setting, isFlow: boolean): string {
  switch (setting.kind) {
    case 'number':
    case 'text':
      if (setting.kind === 'text' && setting.meaning === 'formula') return ` "\${1:${escaped(setting.defaultText)}}"`;
      return setting.isDefaultComputed ? ' $1' : ` \${1:${escaped(setting.defaultText)}}`;
    case 'word':
      return ` ${choiceSnippet(setting, setting.defaultText)}`;
    case 'flag':
      return setting.defaultValue ? ' ${1|true,false|}' : ' ${1|false,true|}';
    case 'list': {
      if (setting.item.kind !== 'variant') return ' [$1]';
      const item = `{${setting.item.tag}: ${choiceSnippet(setting.item, setting.item.defaultText)}$0}`;
      return isFlow ? ` [${item}]` : `\n  - ${item}`;
    }
    case 'map':
      return ' {$1}';
    case 'paths':
      return isFlow ? ' {$1}' : '\n  $0';
    case 'group':
      if (choicesOf(setting).length > 0) return ` ${choiceSnippet(setting, setting.defaultText)}`;
      return isFlow ? ' {$1}' : '\n  $0';
    case 'variant': {
      if (setting.tag === null) return ` {${choiceSnippet(setting, '')}: $2}`;
      const byDefault = setting.variants[setting.defaultText] ?? Object.values(setting.variants)[0];
      const hasNoKeys = byDefault !== undefined && Object.keys(byDefault.keys).length === 0;
      if (hasNoKeys) return ` ${choiceSnippet(setting, setting.defaultText)}`;
      return ` {${setting.tag}: ${choiceSnippet(setting, setting.defaultText)}$0}`;
    }
  }
  setting satisfies never;
}

/** The words to choose from, the default first. */
function choiceSnippet(setting: Setting, first: string): string {
  const names = choicesOf(setting).map(([name]) => name);
  const ordered = [...names.filter((name) => name === first), ...names.filter((name) => name !== first)];
  return `\${1|${ordered.map((name) => name.replace(/[,|\\]/g, '\\$&')).join(',')}|}`;
}

function valueItems(setting: Setting): Item[] {
  if (setting.kind === 'flag') return ['true', 'false'].map((name) => valueItem(name, setting.defaultText));
  if (setting.kind === 'variant' && setting.tag === null) return keyedItems(setting);
  const words = choicesOf(setting).map(([name, word]) => ({
    ...valueItem(name, setting.isDefaultComputed ? '' : setting.defaultText),
    documentation: { kind: 'markdown', value: wordMarkdown(name, word) } as const,
  }));
  const isPlain = setting.kind === 'number' || setting.kind === 'text';
  const hasDefault = isPlain && !setting.isDefaultComputed && !words.some((item) => item.label === setting.defaultText);
  return hasDefault ? [...words, valueItem(setting.defaultText, setting.defaultText)] : words;
}

function keyedItems(setting: VariantSetting): Item[] {
  return Object.entries(setting.variants).map(([name, variant]) => {
    const own = variant.keys[name];
    return {
      label: `{${name}: ${own?.defaultText ?? ''}}`,
      kind: CompletionItemKind.Value,
      documentation: { kind: 'markdown', value: wordMarkdown(name, variant) },
      newText: `{${name}:${own ? valueSnippet(own, true) : ''}}`,
    };
  });
}

function valueItem(name: string, defaultText: string): Item {
  const detail = name === defaultText ? { detail: 'default' } : {};
  return { label: name, kind: CompletionItemKind.Value, ...detail, newText: escaped(name) };
}

function escaped(text: string): string {
  return text.replace(/[\\$}]/g, '\\$&');
}
