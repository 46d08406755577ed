// Inspect Checkpoint…: opens a `.safetensors` file, wherever it comes from, in the inspector.
import * as vscode from 'vscode';
import { checkpointViewType } from '../contributions.ts';

/** @param argument a file, or a checkpoint of the Runs tree; asks otherwise */
export async function inspectCheckpoint(argument: unknown): Promise<void> {
  const uri = uriOf(argument) ?? (await askForFile('Inspect Checkpoint', 'Inspect'));
  if (uri) await vscode.commands.executeCommand('vscode.openWith', uri, checkpointViewType);
}

export async function askForFile(title: string, openLabel: string): Promise<vscode.Uri | undefined> {
  const files = await vscode.window.showOpenDialog({
    ...{ title, openLabel },
    filters: { Checkpoints: ['safetensors'] },
  });
  return files?.[0];
}

function uriOf(argument: unknown): vscode.Uri | undefined {
  if (argument instanceof vscode.Uri) return argument;
  if (typeof argument !== 'object' || argument === null || !('file' in argument)) return undefined;
  return typeof argument.file === 'string' ? vscode.Uri.file(argument.file) : undefined;
}
