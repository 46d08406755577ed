// Download Data Set…: the command line's download in a terminal, where its progress shows and Ctrl+C stops it. Asks first which
// one, and where to.
import * as vscode from 'vscode';
import { datasetDeclaration, downloadable, type DatasetName } from '../../server/protocol/datasets.ts';
import { isTrusted } from './workspaceTrust.ts';

export async function downloadDataset(extensionUri: vscode.Uri): Promise<void> {
  if (!isTrusted('download')) return;
  const items = downloadable().map((name) => {
    const { title, description, download } = datasetDeclaration(name);
    return { name, label: title, description: download?.sizeText ?? '', detail: description };
  });
  const item = await vscode.window.showQuickPick(items, { title: 'Download which data set?', matchOnDetail: true });
  if (!item) return;
  const chosen = await vscode.window.showOpenDialog({
    title: `Download ${item.label} (${item.description} from its authors' site) into…`,
    openLabel: 'Download Here',
    canSelectFolders: true,
    canSelectFiles: false,
  });
  const [folder] = chosen ?? [];
  if (!folder) return;
  const terminal = vscode.window.createTerminal({
    name: `Download ${item.label}`,
    shellPath: process.execPath,
    shellArgs: [
      vscode.Uri.joinPath(extensionUri, 'dist', 'cli.cjs').fsPath,
      ...['download', item.name, vscode.Uri.joinPath(folder, folderName(item.name)).fsPath],
    ],
    // Not in the workspace's folder, where a terminal otherwise begins.
    cwd: extensionUri,
    env: { ELECTRON_RUN_AS_NODE: '1' },
  });
  terminal.show();
}

/** As an experiment's default path calls it. */
function folderName(name: DatasetName): string {
  return datasetDeclaration(name).path?.byDefault.split('/').at(-1) ?? name;
}
