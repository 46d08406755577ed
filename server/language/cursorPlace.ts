// Where a cursor stands in an experiment: which key, or which value of which key. Works on unfinished text, by putting a
// placeholder at the cursor and looking for it in what the tolerant YAML parser makes of the whole.
import { isMap, isScalar, isSeq } from 'yaml';
import type { Document, Range as NodeRange } from 'yaml';
import type { TextRange } from '../protocol/issue.ts';
import { parseExperimentText, resolveAlias } from '../experiment/experimentText.ts';
import { keyName } from '../experiment/readSettings.ts';
import type { Setting } from '../experiment/setting.ts';
import { childSetting } from '../experiment/settingAt.ts';
import { experimentSettings } from '../experiment/settings.ts';

export type TextPosition = TextRange['start'];

export interface CursorPlace {
  /** At a key, `setting` describes the mapping that the key stands in; at a value, the value. */
  readonly kind: 'key' | 'value';
  readonly setting: Setting;
  readonly document: Document;
  /** The mapping (at a key) or the placeholder (at a value). */
  readonly node: unknown;
  /** The word at the cursor, which a completion replaces. */
  readonly wordRange: TextRange;
  /** Inside brackets, where a value must stay on the line. */
  readonly isFlow: boolean;
  /** Whether a colon follows the word already. */
  readonly hasColon: boolean;
}

const placeholder = 'kafscope-cursor';

/** The place of a cursor; null in comments and where no key of an experiment can be. */
export function cursorPlace(text: string, position: TextPosition): CursorPlace | null {
  const lines = text.split('\n');
  const line = (lines[position.line] ?? '').replace(/\r$/, '');
  const before = line.slice(0, position.character);
  const after = line.slice(position.character);
  if (/(^|\s)#/.test(before)) return null;
  const head = /[^\s:,[\]{}"']*$/.exec(before)?.[0] ?? '';
  const tail = /^[^\s:,[\]{}"'#]*/.exec(after)?.[0] ?? '';
  const prefix = before.slice(0, before.length - head.length);
  const suffix = after.slice(tail.length);

  const hasColon = /^\s*:/.test(suffix);
  const isLineStart = /^\s*(- +)*$/.test(prefix);
  lines[position.line] = `${prefix}${placeholder}${isLineStart && !hasColon ? ':' : ''}${suffix}`;
  const { document } = parseExperimentText(lines.join('\n'));
  const found = find(document, document.contents, experimentSettings, false);
  if (!found) return null;
  const start = { line: position.line, character: prefix.length };
  const end = { line: position.line, character: prefix.length + head.length + tail.length };
  return { ...found, document, wordRange: { start, end }, hasColon };
}

type Found = Pick<CursorPlace, 'kind' | 'setting' | 'node' | 'isFlow'>;

function find(document: Document, node: unknown, setting: Setting, isInFlow: boolean): Found | null {
  if (isScalar(node)) return node.value === placeholder ? { kind: 'value', setting, node, isFlow: isInFlow } : null;
  if (isSeq(node)) {
    const isFlow = isInFlow || node.flow === true;
    for (const item of node.items) {
      const found = setting.kind === 'list' ? find(document, item, setting.item, isFlow) : null;
      if (found) return found;
    }
    return null;
  }
  if (!isMap(node)) return null;
  const isFlow = isInFlow || node.flow === true;
  for (const pair of node.items) {
    if (keyName(pair) === placeholder) return { kind: 'key', setting, node, isFlow };
    const inner = childSetting(setting, document, node, keyName(pair));
    const found = inner ? find(document, pair.value, inner, isFlow) : null;
    if (found) return found;
  }
  return null;
}

export interface PointedAt {
  /** At a key or a value, the setting of both. */
  readonly setting: Setting;
  readonly path: string;
  readonly part: 'key' | 'value';
  /** The scalar under the pointer as it is written; null for a mapping's key. */
  readonly written: string | null;
  readonly range: TextRange;
}

/** The key or scalar value under a position of finished text. */
export function pointedAt(text: string, position: TextPosition): PointedAt | null {
  const parsed = parseExperimentText(text);
  const lines = text.split('\n');
  const offset = lines.slice(0, position.line).reduce((sum, line) => sum + line.length + 1, 0) + position.character;
  const { document } = parsed;

  const search = (node: unknown, setting: Setting, path: string): PointedAt | null => {
    if (isScalar(node)) {
      if (!contains(node.range, offset)) return null;
      return { setting, path, part: 'value', written: node.source ?? String(node.value), range: parsed.rangeOf(node) };
    }
    if (isSeq(node) && setting.kind === 'list') {
      for (const [index, item] of node.items.entries()) {
        const found = search(item, setting.item, `${path}[${index}]`);
        if (found) return found;
      }
    }
    if (!isMap(node)) return null;
    for (const pair of node.items) {
      const name = keyName(pair);
      const inner = childSetting(setting, document, node, name);
      if (!inner) continue;
      const innerPath = path ? `${path}.${name}` : name;
      if (isScalar(pair.key) && contains(pair.key.range, offset)) {
        const value = resolveAlias(document, pair.value);
        const written = isScalar(value) ? (value.source ?? String(value.value)) : null;
        return { setting: inner, path: innerPath, part: 'key', written, range: parsed.rangeOf(pair.key) };
      }
      const found = search(pair.value, inner, innerPath);
      if (found) return found;
    }
    return null;
  };
  return search(document.contents, experimentSettings, '');
}

function contains(range: NodeRange | null | undefined, offset: number): boolean {
  return range !== null && range !== undefined && range[0] <= offset && offset <= range[1];
}
