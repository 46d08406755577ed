// All mutants of a source in one text: each place asks `globalThis.kafscopeMutant(number)` whether its mutant is the one that is
// wanted now (scripts/mutantRunner.mjs answers). Where nobody answers, as in a child process, the source is unbroken.
import ts from 'typescript';

/**
 * @param {ts.SourceFile} source
 * @param {{node: ts.Node, start: number, end: number, replacement: string, number: number}[]} mutants of scripts/mutants.mjs
 * @returns {string}
 */
export function writeSchema(source, mutants) {
  const mutantsAt = Map.groupBy(mutants, ({ node }) => switchedNode(node));
  return source.text.slice(0, source.getStart(source)) + write(source) + source.text.slice(source.end);

  function write(node) {
    const text = compose(node, write);
    return (mutantsAt.get(node) ?? []).reduce((whole, mutant) => {
      const isWanted = `globalThis.kafscopeMutant?.(${mutant.number})`;
      if (ts.isStatement(node)) return `{if(!${isWanted}){${whole}}}`;
      return inPlace(node, `(${isWanted}?${writeMutant(node, mutant)}:${whole})`);
    }, text);
  }

  /** The node's text with its children's texts as they are written. */
  function compose(node, writeChild) {
    let text = '';
    let at = node.getStart(source);
    ts.forEachChild(node, (child) => {
      text += source.text.slice(at, child.getStart(source)) + writeChild(child);
      at = child.end;
    });
    return text + source.text.slice(at, node.end);
  }

  /** Operands in brackets: `a && b ?? c` is no TypeScript. */
  function writeMutant(node, { node: changed, replacement }) {
    if (changed === node) return `(${replacement})`;
    if (changed.parent === node && ts.isBinaryExpression(node))
      return `(${inBrackets(node.left)} ${replacement} ${inBrackets(node.right)})`;
    return compose(node, function rewrite(child) {
      return child === changed ? replacement : compose(child, rewrite);
    });
  }

  /** What is assigned to stays bare. */
  function inBrackets(operand) {
    const text = operand.getText(source);
    return ts.isBinaryExpression(operand) || ts.isArrowFunction(operand) ? `(${text})` : text;
  }
}

/** The smallest expression or statement that can be chosen between: an operator has none, and `a.some` is called on its `a`. */
function switchedNode(node) {
  if (ts.isStatement(node)) return node;
  let found = ts.isBinaryExpression(node.parent) && node.parent.operatorToken === node ? node.parent : node;
  if (ts.isPropertyAccessExpression(found.parent) && found.parent.name === found) found = found.parent;
  if (ts.isCallExpression(found.parent) && found.parent.expression === found) found = found.parent;
  while (ts.isOptionalChain(found.parent) && found.parent.expression === found) found = found.parent;
  return found;
}

/** A number as a key. */
function inPlace(node, text) {
  return ts.isPropertyAssignment(node.parent) && node.parent.name === node ? `[${text}]` : text;
}
