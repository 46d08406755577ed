// Download CIFAR-10…: the command line's download in a terminal, where its progress shows and Ctrl+C stops it. Asks first.
import * as vscode from 'vscode';
import { isTrusted } from './workspaceTrust.ts';

const sizeText = '162 MiB';

export async function downloadCifar10(extensionUri: vscode.Uri): Promise<void> {
  if (!isTrusted('download')) return;
  const chosen = await vscode.window.showOpenDialog({
    title: `Download CIFAR-10 (${sizeText} from its author's site) into…`,
    openLabel: 'Download Here',
    canSelectFolders: true,
    canSelectFiles: false,
  });
  const [folder] = chosen ?? [];
  if (!folder) return;
  const terminal = vscode.window.createTerminal({
    name: 'Download CIFAR-10',
    shellPath: process.execPath,
    shellArgs: [
      vscode.Uri.joinPath(extensionUri, 'dist', 'cli.cjs').fsPath,
      ...['download', 'cifar10', vscode.Uri.joinPath(folder, 'cifar-10-batches-bin').fsPath],
    ],
    // Not in the workspace's folder, where a terminal otherwise begins.
    cwd: extensionUri,
    env: { ELECTRON_RUN_AS_NODE: '1' },
  });
  terminal.show();
}
