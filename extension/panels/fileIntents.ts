// What a page hands over: a text for the clipboard, or a file that is saved where the user says.
import path from 'node:path';
import * as vscode from 'vscode';
import type { FileIntent } from '../../server/protocol/panel.ts';
import { attempt } from '../showFailure.ts';

export async function handOver(intent: FileIntent): Promise<void> {
  if (intent.type === 'copy') await vscode.env.clipboard.writeText(intent.text);
  else await attempt('save the file', () => saveFile(intent.name, intent.content));
}

async function saveFile(name: string, content: string | Uint8Array): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  // A name, never a path: what a page says leads nowhere else.
  const base = path.basename(name);
  const uri = await vscode.window.showSaveDialog({ ...(folder && { defaultUri: vscode.Uri.joinPath(folder, base) }) });
  if (uri) await vscode.workspace.fs.writeFile(uri, typeof content === 'string' ? Buffer.from(content) : content);
}
