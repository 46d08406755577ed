// An experiment's YAML text as a syntax tree with ranges, and its syntax errors as issues. Knows nothing of keys.
import { isAlias, isMap, isScalar, isSeq, Lexer, parseDocument } from 'yaml';
import type { Document, Node, YAMLError } from 'yaml';
import type { TextRange } from '../protocol/issue.ts';

/** An issue before it goes on the wire: `replacement` is a text that would mend the range. */
export interface FoundIssue {
  readonly path: string;
  readonly range: TextRange;
  readonly severity: 'error' | 'warning';
  readonly expected: string;
  readonly got: string;
  readonly remedy: string;
  readonly replacement?: string;
  /** Which characters of the value at the path are meant; all where absent. */
  readonly within?: { readonly start: number; readonly end: number };
}

/** An issue without its range, which whoever has read the text knows by the path. */
export type PlanIssue = Omit<FoundIssue, 'range'>;

export interface ExperimentText {
  readonly document: Document;
  readonly issues: readonly FoundIssue[];
  /** The range of a node; that of nothing for one that is not in the text (an override's). */
  rangeOf(node: unknown): TextRange;
  /** A range up to the end of its first line: of a mapping over many lines, what tells which one. */
  firstLineOf(range: TextRange): TextRange;
  /** The characters from `start` to `end` of a text that stands in a range, where it stands there as it is. */
  partOf(range: TextRange, start: number, end: number): TextRange;
}

/** A network of hundreds of declared layers has a third of it; of a longer text, as a file of another kind is, nothing is read. */
const maxCharacters = 65_536;

/** Words and signs. Some hundreds of layers have a few thousand; what is made of one costs the more the shorter it is. */
const maxTokens = 16_000;

/** Mistakes of syntax are told up to so many: what follows the first ones mostly follows from them. */
const maxSyntaxIssues = 100;

export const emptyRange: TextRange = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

/** Parses YAML 1.2. Never throws: what cannot be parsed is an issue, and the document holds what could. */
export function parseExperimentText(text: string): ExperimentText {
  const issues: FoundIssue[] = [];
  const document = parseTolerantly(text, issues);

  const position = positionsIn(text);
  const range = (start: number, end: number): TextRange => ({
    start: position(start),
    end: position(Math.max(start, end)),
  });
  const errors = [...document.errors, ...document.warnings].slice(0, maxSyntaxIssues);
  for (const error of errors) issues.push(syntaxIssue(error, range, text));

  return {
    document,
    issues,
    rangeOf(node) {
      const found = (node as Partial<Node> | null)?.range;
      return found ? range(found[0], endOf(text, found[0], found[1])) : emptyRange;
    },
    firstLineOf({ start, end }) {
      if (start.line === end.line) return { start, end };
      const line = (text.split('\n')[start.line] ?? '').replace(/\s*(#.*)?$/, '');
      return { start, end: { line: start.line, character: Math.max(start.character + 1, line.length) } };
    },
    partOf(whole, start, end) {
      const { start: from, end: to } = whole;
      const written = text.split('\n')[from.line]?.slice(from.character, to.character) ?? '';
      const isQuoted = /^(["']).*\1$/.test(written);
      if (from.line !== to.line || (isQuoted && /\\|''/.test(written))) return whole;
      const first = from.character + (isQuoted ? 1 : 0);
      const last = to.character - (isQuoted ? 1 : 0);
      // At the end of the text its last character is underlined: nothing can't be seen.
      const at = Math.max(from.character, Math.min(first + start, last - 1));
      const until = Math.min(Math.max(first + end, at + 1), to.character);
      return { start: { line: from.line, character: at }, end: { line: from.line, character: until } };
    },
  };
}

/** The node an alias stands for; the node itself otherwise. */
export function resolveAlias(document: Document, node: unknown): unknown {
  if (!isAlias(node)) return node;
  try {
    return node.resolve(document);
  } catch (cause) {
    if (cause instanceof ReferenceError) return undefined; // An alias inside its own anchor.
    throw cause;
  }
}

/** A value for a person: `"fast"`, `12`, `a list`, `nothing`. */
export function nodeText(node: unknown): string {
  if (isMap(node)) return 'a mapping';
  if (isSeq(node)) return 'a list';
  if (!isScalar(node) || node.value === null || node.value === undefined) return 'nothing';
  if (typeof node.value === 'string') return JSON.stringify(shorten(node.value));
  return shorten(node.source ?? String(node.value));
}

/** Whether a key has no value at all: `epochs:`. */
export function isNothing(node: unknown): boolean {
  return node === undefined || node === null || (isScalar(node) && (node.value === null || node.value === undefined));
}

/** Offset → line and character; offsets beyond the text become its ends. */
export function positionsIn(text: string): (offset: number) => TextRange['start'] {
  const lineStarts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lineStarts.push(at + 1);
  return (offset) => {
    const inside = Math.min(Math.max(offset, 0), text.length);
    let line = 0;
    for (let after = lineStarts.length; after - line > 1;) {
      const middle = (line + after) >> 1;
      if (lineStarts[middle]! <= inside) line = middle;
      else after = middle;
    }
    return { line, character: inside - lineStarts[line]! };
  };
}

function parseTolerantly(text: string, issues: FoundIssue[]): Document {
  const tooLong = findTooLong(text);
  if (tooLong) {
    issues.push({ path: '', range: emptyRange, severity: 'error', ...tooLong });
    return parseDocument('');
  }
  try {
    return parseDocument(text, { prettyErrors: false, uniqueKeys: false });
  } catch (cause) {
    // The parser recurses over the nesting: thousands of open brackets end its stack.
    if (!(cause instanceof RangeError)) throw cause;
    const remedy = 'Write the experiment with fewer brackets.';
    issues.push({
      path: '',
      range: emptyRange,
      severity: 'error',
      expected: 'YAML',
      got: 'too deep a nesting',
      remedy,
    });
    return parseDocument('');
  }
}

/** A text that would take long to read. */
function findTooLong(text: string): Pick<FoundIssue, 'expected' | 'got' | 'remedy'> | null {
  const remedy = 'Move what is no setting out of the experiment.';
  if (text.length > maxCharacters) {
    return { expected: `at most ${maxCharacters} characters`, got: `${text.length} characters`, remedy };
  }
  let nTokens = 0;
  for (const token of new Lexer().lex(text)) {
    if (token.trim() === '' || ++nTokens <= maxTokens) continue;
    return { expected: `at most ${maxTokens} words and signs`, got: 'more', remedy };
  }
  return null;
}

function syntaxIssue(error: YAMLError, range: (start: number, end: number) => TextRange, text: string): FoundIssue {
  const [start, end] = error.pos;
  const message = error.message.replace(/\s+/g, ' ').trim();
  const known = syntaxRemedies[error.code] ?? {};
  return {
    path: '',
    range: range(Math.max(0, Math.min(start, text.length - 1)), Math.min(Math.max(end, start + 1), text.length)),
    severity: 'error',
    expected: known.expected ?? 'valid YAML',
    got: `a syntax error: ${shorten(message, 160)}`,
    remedy: known.remedy ?? 'Correct the YAML here.',
  };
}

const syntaxRemedies: Partial<Record<YAMLError['code'], { expected?: string; remedy?: string }>> = {
  TAB_AS_INDENT: { expected: 'spaces as indentation', remedy: 'Replace the tab by spaces.' },
  BAD_INDENT: {
    expected: 'lines of one mapping at the same indentation',
    remedy: 'Align this line with its neighbours.',
  },
  BLOCK_AS_IMPLICIT_KEY: {
    expected: 'lines of one mapping at the same indentation',
    remedy: 'Align this line with its neighbours.',
  },
  MULTILINE_IMPLICIT_KEY: {
    expected: '"key: value" on one line',
    remedy: 'Add the colon after the key, or align the lines.',
  },
  MISSING_CHAR: { remedy: 'Add the missing character: a bracket, quote, colon or comma.' },
  MULTIPLE_DOCS: { expected: 'one experiment a file', remedy: 'Move what follows "---" to a file of its own.' },
  TAG_RESOLVE_FAILED: { expected: 'plain values', remedy: 'Remove the tag that starts with "!".' },
};

/** A node's end without the white space that the parser may count in. */
function endOf(text: string, start: number, end: number): number {
  let last = Math.min(end, text.length);
  while (last > start + 1 && /\s/.test(text[last - 1]!)) last--;
  return last;
}

/** At most so many characters, for messages. */
export function shorten(value: string, length = 60): string {
  return value.length > length ? `${value.slice(0, length - 1)}…` : value;
}
