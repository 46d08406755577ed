// New Experiment: a file from the template in the first workspace folder, or an untitled one where no folder is open.
import * as vscode from 'vscode';
import { experimentSuffix } from '../contributions.ts';
import { experimentName, experimentTemplate } from '../experiments/experimentTemplate.ts';
import { attempt } from '../showFailure.ts';

export async function newExperiment(): Promise<void> {
  const typed = await vscode.window.showInputBox({
    title: 'New Experiment',
    // Otherwise a webview that takes the focus back closes the box as it opens.
    ignoreFocusOut: true,
    prompt: `A name; the file becomes name${experimentSuffix}`,
    value: 'my-experiment',
    validateInput: async (text) => {
      const name = experimentName(text);
      if (name === null) return 'A name with at least one letter or digit.';
      const uri = fileFor(name);
      return uri && (await exists(uri)) ? `${name}${experimentSuffix} exists already.` : null;
    },
  });
  const name = typed === undefined ? null : experimentName(typed);
  if (name !== null) await attempt('create the experiment', () => create(name));
}

async function create(name: string): Promise<void> {
  const uri = fileFor(name);
  const edit = new vscode.WorkspaceEdit();
  const target = uri ?? vscode.Uri.from({ scheme: 'untitled', path: `${name}${experimentSuffix}` });
  if (uri) edit.createFile(uri, { contents: new TextEncoder().encode(experimentTemplate(name)) });
  else edit.insert(target, new vscode.Position(0, 0), experimentTemplate(name));
  if (!(await vscode.workspace.applyEdit(edit))) throw new Error(`${target.fsPath} could not be written.`);
  await vscode.window.showTextDocument(target);
}

function fileFor(name: string): vscode.Uri | null {
  const folder = vscode.workspace.workspaceFolders?.[0];
  return folder ? vscode.Uri.joinPath(folder.uri, `${name}${experimentSuffix}`) : null;
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  return vscode.workspace.fs.stat(uri).then(
    () => true,
    () => false,
  );
}
