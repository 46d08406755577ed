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
  if (!uri) {
    await openUntitled(name, experimentTemplate(name));
    return;
  }
  const edit = new vscode.WorkspaceEdit();
  edit.createFile(uri, { contents: new TextEncoder().encode(experimentTemplate(name)) });
  if (!(await vscode.workspace.applyEdit(edit))) throw new Error(`${uri.fsPath} could not be written.`);
  await vscode.window.showTextDocument(uri);
}

/** An experiment in an editor that is not saved yet; where one of that name is open, beside it under the next number. */
export async function openAsExperiment(name: string, text: string): Promise<void> {
  await attempt('open the experiment', () => openUntitled(experimentName(name) ?? 'experiment', text));
}

async function openUntitled(name: string, text: string): Promise<void> {
  const isOpen = (uri: vscode.Uri) =>
    vscode.workspace.textDocuments.some((document) => document.uri.toString() === uri.toString());
  let number = 1;
  let uri: vscode.Uri;
  do {
    const suffix = number === 1 ? '' : `-${String(number)}`;
    uri = vscode.Uri.from({ scheme: 'untitled', path: `${name}${suffix}${experimentSuffix}` });
    number++;
  } while (isOpen(uri));
  const edit = new vscode.WorkspaceEdit();
  edit.insert(uri, new vscode.Position(0, 0), text);
  if (!(await vscode.workspace.applyEdit(edit))) throw new Error(`${uri.path} could not be opened.`);
  await vscode.window.showTextDocument(uri);
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
