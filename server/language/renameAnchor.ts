// Renaming the name of an anchor, `&weak`, with all the aliases `*weak` that stand for it: of all that an experiment writes the only name that
// it gives itself, besides its own. Keys, words and paths are Kafscope's.
import { Lexer } from 'yaml';
import type { TextEdit } from 'vscode-languageserver';
import type { TextRange } from '../protocol/issue.ts';
import { positionsIn } from '../experiment/experimentText.ts';
import type { TextPosition } from './cursorPlace.ts';

/** Without the sign before it. */
interface AnchorName {
  readonly name: string;
  readonly range: TextRange;
}

/** The anchor's name at a position; null where there is none. */
export function anchorAt(text: string, { line, character }: TextPosition): AnchorName | null {
  const isAt = ({ range: { start, end } }: AnchorName): boolean =>
    start.line === line && start.character - 1 <= character && character <= end.character;
  return anchorsIn(text).find(isAt) ?? null;
}

/**
 * The edits that rename the anchor at a position; null where there is none.
 * @throws AnchorNameError where the name can't be one, or is another anchor's
 */
export function renameAnchor(text: string, position: TextPosition, newName: string): TextEdit[] | null {
  const found = anchorAt(text, position);
  if (!found) return null;
  if (!/^[^\s,[\]{}&*]+$/.test(newName)) {
    throw new AnchorNameError('The name of an anchor has no spaces, commas, brackets, & or *.');
  }
  const all = anchorsIn(text);
  if (newName !== found.name && all.some(({ name }) => name === newName)) {
    throw new AnchorNameError(`Another anchor is called ${newName} already.`);
  }
  return all.filter(({ name }) => name === found.name).map(({ range }) => ({ range, newText: newName }));
}

export class AnchorNameError extends Error {
  override readonly name = 'AnchorNameError';
}

/** Those in texts and comments are none: the lexer tells. */
function anchorsIn(text: string): AnchorName[] {
  const position = positionsIn(text);
  const names: AnchorName[] = [];
  let offset = 0;
  for (const token of new Lexer().lex(text)) {
    const start = offset;
    // The lexer's own marks of documents and scalars are no characters of the text.
    if (text.startsWith(token, offset)) offset += token.length;
    if (offset > start && /^[&*]./.test(token)) {
      names.push({ name: token.slice(1), range: { start: position(start + 1), end: position(offset) } });
    }
  }
  return names;
}
