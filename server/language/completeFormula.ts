// Completion inside a formula: its input, parameters, functions and constants.
import { CompletionItemKind, InsertTextFormat } from 'vscode-languageserver';
import type { CompletionItem } from 'vscode-languageserver';
import { activationIn } from '../experiment/compileExperiment.ts';
import { formulaConstants, formulaFunctions } from '../formula/parseFormula.ts';
import { pointedAt } from './cursorPlace.ts';
import type { TextPosition } from './cursorPlace.ts';

/** Null where the position is in no formula. */
export function completeFormula(text: string, position: TextPosition): CompletionItem[] | null {
  const found = pointedAt(text, position);
  if (found?.part !== 'value' || found.setting.kind !== 'text' || found.setting.meaning !== 'formula') return null;
  const line = text.split('\n')[position.line] ?? '';
  const head = /[A-Za-z_][A-Za-z0-9_]*$/.exec(line.slice(0, position.character))?.[0] ?? '';
  const tail = /^[A-Za-z0-9_]*/.exec(line.slice(position.character))?.[0] ?? '';
  const range = {
    start: { line: position.line, character: position.character - head.length },
    end: { line: position.line, character: position.character + tail.length },
  };
  const plan = activationIn(text, found.path, { file: null, homeFolder: '' });
  const parameters = plan?.type === 'formula' ? plan.parameters.map(({ name }) => name) : [];
  const variables = [
    { label: 'x', kind: CompletionItemKind.Variable, detail: 'the input' },
    ...parameters.map((label) => ({ label, kind: CompletionItemKind.Variable, detail: 'trained' })),
  ];
  const constants = Object.entries(formulaConstants).map(([label, value]) => ({
    ...{ label, kind: CompletionItemKind.Constant, detail: String(value) },
  }));
  const functions = [...formulaFunctions].map(([label, { call, description }]) => ({
    ...{ label, kind: CompletionItemKind.Function, detail: `${call}: ${description}`, newText: `${label}($0)` },
  }));
  return [...variables, ...functions, ...constants].map((item, index) => {
    const newText = 'newText' in item ? item.newText : item.label;
    return {
      ...{ label: item.label, kind: item.kind, detail: item.detail, sortText: String(index).padStart(3, '0') },
      ...{ textEdit: { range, newText }, insertTextFormat: InsertTextFormat.Snippet },
    };
  });
}
