// The outline of an experiment: each key with what stands below it.
import { SymbolKind } from 'vscode-languageserver';
import type { DocumentSymbol } from 'vscode-languageserver';
import { isMap, isScalar, isSeq } from 'yaml';
import { parseExperimentText, type ExperimentText } from '../experiment/experimentText.ts';
import { keyName } from '../experiment/readSettings.ts';

/** In the order of the text; of a list its items by their number, and by their first key or value. */
export function documentSymbols(text: string): DocumentSymbol[] {
  const parsed = parseExperimentText(text);
  return symbolsIn(parsed, parsed.document.contents);
}

function symbolsIn(parsed: ExperimentText, node: unknown): DocumentSymbol[] {
  if (isSeq(node)) return node.items.map((item, index) => symbolOf(parsed, itemName(item, index), item, item));
  if (!isMap(node)) return [];
  return node.items.map((pair) => symbolOf(parsed, keyName(pair) || '…', pair.key, pair.value));
}

function symbolOf(parsed: ExperimentText, name: string, head: unknown, value: unknown): DocumentSymbol {
  const selectionRange = parsed.rangeOf(head);
  const whole = parsed.rangeOf(value);
  const hasValue = isMap(value) || isSeq(value) || isScalar(value);
  return {
    name,
    kind: isSeq(value) ? SymbolKind.Array : isMap(value) ? SymbolKind.Object : SymbolKind.Property,
    ...(isScalar(value) && head !== value ? { detail: value.source ?? '' } : {}),
    range: hasValue ? { start: selectionRange.start, end: laterOf(selectionRange.end, whole.end) } : selectionRange,
    selectionRange,
    children: symbolsIn(parsed, value),
  };
}

function itemName(item: unknown, index: number): string {
  const word = isScalar(item) ? (item.source ?? '') : isMap(item) && item.items[0] ? keyName(item.items[0]) : '';
  return word === '' ? String(index + 1) : `${String(index + 1)} ${word}`;
}

type Position = DocumentSymbol['range']['end'];

function laterOf(a: Position, b: Position): Position {
  return b.line > a.line || (b.line === a.line && b.character > a.character) ? b : a;
}
