// Which experiment a command is about: the file that it was given, else the active editor's, else the only one, else a pick.
import path from 'node:path';
import * as vscode from 'vscode';
import { experimentSuffix } from '../contributions.ts';
import { findExperiments } from '../experiments/experimentsTree.ts';

/** The document with its unsaved edits; undefined when nothing was picked, or there is none (which is said). */
export async function experimentDocument(
  argument: unknown,
  title = 'Train which experiment?',
): Promise<vscode.TextDocument | undefined> {
  const uri = uriOf(argument);
  if (uri) return vscode.workspace.openTextDocument(uri);
  const active = vscode.window.activeTextEditor?.document;
  if (active && isExperiment(active)) return active;
  const files = await findExperiments();
  if (files.length === 0) {
    const create = 'New Experiment';
    const text = 'There is no experiment file (*.kaf.yaml) in this workspace.';
    if ((await vscode.window.showInformationMessage(text, create)) === create) {
      await vscode.commands.executeCommand('kafscope.newExperiment');
    }
    return undefined;
  }
  const file = files.length === 1 ? files[0] : await pickFile(files, title);
  return file && vscode.workspace.openTextDocument(file);
}

export function isExperiment(document: vscode.TextDocument): boolean {
  return document.uri.path.endsWith(experimentSuffix);
}

async function pickFile(files: readonly vscode.Uri[], title: string): Promise<vscode.Uri | undefined> {
  const items = files.map((file) => ({
    file,
    label: path.posix.basename(file.path),
    description: path.posix.dirname(vscode.workspace.asRelativePath(file)).replace(/^\.$/, ''),
    iconPath: new vscode.ThemeIcon('beaker'),
  }));
  return (await vscode.window.showQuickPick(items, { title }))?.file;
}

/** A code lens passes the address as text. */
function uriOf(argument: unknown): vscode.Uri | undefined {
  if (argument instanceof vscode.Uri) return argument;
  return typeof argument === 'string' ? vscode.Uri.parse(argument, true) : undefined;
}
