// Broken experiments for the property tests of the compiler and of the language features.
import fc from 'fast-check';
import type { TextRange } from '../../server/protocol/issue.ts';

/** Texts of which a piece is cut out, doubled, or replaced by characters that mean something in YAML. */
export function scrambled(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const change = fc.constantFrom('cut', 'double', '\n', ':', ' ', '{', ']', '- ', '\t', '"', '#', '&a ', '*a', '\r\n');
  return fc.tuple(texts, fc.nat(), fc.nat({ max: 12 }), change).map(([text, at, length, how]) => {
    const start = text.length === 0 ? 0 : at % text.length;
    const piece = text.slice(start, start + length);
    const instead = how === 'cut' ? '' : how === 'double' ? piece + piece : how;
    return text.slice(0, start) + instead + text.slice(start + length);
  });
}

/** Whether a range runs forward and ends where there is text (or just behind it). */
export function isInside(text: string, { start, end }: TextRange): boolean {
  const lines = text.split('\n');
  const has = ({ line, character }: TextRange['start']) =>
    line >= 0 && character >= 0 && line < lines.length && character <= (lines[line] ?? '').length;
  return (
    has(start) && has(end) && (start.line < end.line || (start.line === end.line && start.character <= end.character))
  );
}
