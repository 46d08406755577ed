// A document's text anew, in the editor: nothing is saved.
import * as vscode from 'vscode';

/** @throws Error where the editor refuses */
export async function replaceText(document: vscode.TextDocument, text: string): Promise<void> {
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, new vscode.Range(0, 0, document.lineCount, 0), text);
  if (!(await vscode.workspace.applyEdit(edit))) throw new Error(`${document.uri.fsPath} could not be changed.`);
}
