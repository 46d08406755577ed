// Makes the mutants of a source file: each one small change of its text, found by TypeScript's parser and type checker. Applying
// and judging them is scripts/mutate.mjs.
import ts from 'typescript';

const swappedOperators = {
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '**': ['*'],
  '<': ['<='],
  '<=': ['<'],
  '>': ['>='],
  '>=': ['>'],
  '===': ['!=='],
  '!==': ['==='],
  '&&': ['||'],
  '||': ['&&'],
  '??': ['&&'],
  '+=': ['-='],
  '-=': ['+='],
  '*=': ['/='],
  '/=': ['*='],
};

const swappedMethods = {
  'Math.min': 'Math.max',
  'Math.max': 'Math.min',
  'Math.floor': 'Math.ceil',
  'Math.ceil': 'Math.floor',
  'Math.round': 'Math.floor',
  'tf.add': 'tf.sub',
  'tf.sub': 'tf.add',
  'tf.mul': 'tf.div',
  'tf.div': 'tf.mul',
};

const swappedMembers = { some: 'every', every: 'some' };

/**
 * Mutants in order of their place. Types, imports, and what stands in a `throw` are left alone: words for people are no rules.
 * @param {ts.SourceFile} source of a program
 * @param {ts.TypeChecker} checker of that program: a string is changed only where its type names the others
 * @returns {{node: ts.Node, start: number, end: number, replacement: string}[]} the node that changes, and what becomes of its text
 */
export function makeMutants(source, checker) {
  const mutants = [];
  const add = (node, replacement, start = node.getStart(source)) => {
    mutants.push({ node, start, end: node.end, replacement });
  };
  visit(source);
  return mutants.sort((a, b) => a.start - b.start || a.end - b.end);

  function visit(node) {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isThrowStatement(node)) return;
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    mutate(node);
    ts.forEachChild(node, visit);
  }

  function mutate(node) {
    if (ts.isBinaryExpression(node)) mutateOperator(node);
    else if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) mutateUnary(node);
    else if (ts.isIfStatement(node)) add(node.expression, `!(${node.expression.getText(source)})`);
    else if (ts.isConditionalExpression(node)) add(node.condition, `!(${node.condition.getText(source)})`);
    else if (ts.isNumericLiteral(node)) mutateNumber(node);
    else if (node.kind === ts.SyntaxKind.TrueKeyword) add(node, 'false');
    else if (node.kind === ts.SyntaxKind.FalseKeyword) add(node, 'true');
    else if (ts.isStringLiteral(node)) mutateString(node);
    else if (ts.isPropertyAccessExpression(node)) mutateMember(node);
    // TypeScript refuses an `if` with an empty statement.
    else if (isRemovable(node)) add(node, ts.isIfStatement(node.parent) ? '{}' : ';');
  }

  function mutateOperator(node) {
    // A comparison that is a condition by itself is negated there.
    const isCondition = isConditionOf(node.parent, node);
    const operator = node.operatorToken.getText(source);
    if (isCondition && (operator === '===' || operator === '!==')) return;
    for (const other of swappedOperators[operator] ?? []) add(node.operatorToken, other);
  }

  function mutateUnary(node) {
    const operand = node.operand.getText(source);
    if (node.operator === ts.SyntaxKind.PlusPlusToken)
      add(node, ts.isPrefixUnaryExpression(node) ? `--${operand}` : `${operand}--`);
    if (node.operator === ts.SyntaxKind.MinusMinusToken)
      add(node, ts.isPrefixUnaryExpression(node) ? `++${operand}` : `${operand}++`);
    if (node.operator === ts.SyntaxKind.MinusToken) add(node, operand);
    if (node.operator === ts.SyntaxKind.ExclamationToken && !isConditionOf(node.parent, node)) add(node, operand);
  }

  function mutateNumber(node) {
    const value = Number(node.text.replaceAll('_', ''));
    add(node, String(value === 0 ? 1 : value === 1 ? 0 : value < 1 ? value * 2 : value + 1));
  }

  function mutateString(node) {
    if (ts.isCaseClause(node.parent)) return;
    const expected = checker.getContextualType(node);
    const types = expected?.isUnion() ? expected.types.filter((type) => type.isStringLiteral()) : [];
    // One name of each: 'utf-8' is 'utf8', and 'binary' is 'latin1'.
    const others = types.filter(({ value }) => value === node.text || plain(value) !== plain(node.text));
    const at = others.findIndex(({ value }) => value === node.text);
    if (at < 0 || others.length < 2) return;
    add(node, `'${others[(at + 1) % others.length].value}'`);
  }

  function mutateMember(node) {
    const other = swappedMethods[node.getText(source)];
    if (other) add(node, other);
    const { text } = node.name;
    if (ts.isCallExpression(node.parent) && Object.hasOwn(swappedMembers, text)) add(node.name, swappedMembers[text]);
  }

  /** Calls, assignments and yields for their effect; and exits, but for the last statement of a function, which ends it anyway. */
  function isRemovable(node) {
    if (ts.isExpressionStatement(node)) {
      return !ts.isPostfixUnaryExpression(node.expression) && !ts.isSatisfiesExpression(node.expression);
    }
    if (ts.isBreakStatement(node)) return !ts.isCaseOrDefaultClause(node.parent);
    if (ts.isContinueStatement(node)) return true;
    if (!ts.isReturnStatement(node)) return false;
    const { parent } = node;
    if (ts.isCaseOrDefaultClause(parent)) return false;
    return !(ts.isBlock(parent) && ts.isFunctionLike(parent.parent) && parent.statements.at(-1) === node);
  }
}

function plain(name) {
  return name === 'binary' ? 'latin1' : name.replaceAll('-', '');
}

function isConditionOf(parent, node) {
  if (ts.isParenthesizedExpression(parent)) return isConditionOf(parent.parent, parent);
  return (
    (ts.isIfStatement(parent) && parent.expression === node) ||
    (ts.isConditionalExpression(parent) && parent.condition === node)
  );
}
