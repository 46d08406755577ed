// Which tests reach which part of a source: a copy that tells of every part that it enters is made by TypeScript's parser, and
// scripts/mutantReached.mjs listens. A part is a function's body, a branch, or what follows an `if`; a loop's body is none.
import ts from 'typescript';

/**
 * @param {ts.SourceFile} source
 * @param {number} firstPart the number of the first part, so that those of several sources differ
 * @returns {{text: string, parts: {part: number, start: number, end: number}[]}} the copy, and each part's place in the original
 */
export function traceParts(source, firstPart) {
  const parts = [];
  const insertions = [];
  visit(source);
  let text = source.text;
  // Of two at one place the one that was asked for first stands first.
  for (const { at, code } of insertions.sort((a, b) => b.at - a.at || b.order - a.order))
    text = text.slice(0, at) + code + text.slice(at);
  return { text, parts };

  function visit(node) {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node)) return;
    if (ts.isFunctionLike(node) && node.body) traceFunction(node);
    else if (ts.isIfStatement(node)) {
      traceStatement(node.thenStatement);
      if (node.elseStatement) traceStatement(node.elseStatement);
    } else if (ts.isConditionalExpression(node)) {
      traceExpression(node.whenTrue, node.whenTrue);
      traceExpression(node.whenFalse, node.whenFalse);
    } else if (ts.isCaseOrDefaultClause(node) && node.statements.length > 0) {
      insert(node.statements[0].getStart(source), `${tell(node.statements[0].getStart(source), node.end)};`);
    }
    if (ts.isBlock(node) || ts.isCaseOrDefaultClause(node)) traceRest(node);
    ts.forEachChild(node, visit);
  }

  /** Parameters with their defaults belong to the body. */
  function traceFunction(node) {
    if (!ts.isBlock(node.body)) traceExpression(node.body, node);
    else insert(node.body.getStart(source) + 1, `${tell(node.getStart(source), node.end)};`);
  }

  function traceStatement(node) {
    const start = node.getStart(source);
    const told = `${tell(start, node.end)};`;
    if (ts.isBlock(node)) return insert(start + 1, told);
    insert(start, `{${told}`);
    insert(node.end, '}');
  }

  function traceExpression(node, { end }) {
    insert(node.getStart(source), `(${tell(node.getStart(source), end)},`);
    insert(node.end, ')');
  }

  /** What follows an `if` may not be reached though the `if` is. */
  function traceRest(block) {
    const { statements } = block;
    for (const [index, statement] of statements.entries()) {
      if (!ts.isIfStatement(statement) || index === statements.length - 1) continue;
      const start = statements[index + 1].getStart(source);
      insert(start, `${tell(start, block.end)};`);
    }
  }

  function tell(start, end) {
    const part = firstPart + parts.length;
    parts.push({ part, start, end });
    return `globalThis.kafscopeReached?.(${part})`;
  }

  function insert(at, code) {
    insertions.push({ at, code, order: insertions.length });
  }
}

/** The smallest part that holds the place, or null: what is reached as soon as the source is imported. */
export function partAt(parts, { start, end }) {
  const around = parts.filter((part) => part.start <= start && end <= part.end);
  return around.sort((a, b) => a.end - a.start - (b.end - b.start))[0]?.part ?? null;
}
