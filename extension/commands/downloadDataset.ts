// Download Data Set…: the command line's download in a terminal, where its progress shows and Ctrl+C stops it. Asks first which
// one, and where to.
import * as vscode from 'vscode';
import { datasetDeclaration, downloadable, type DatasetName } from '../../server/protocol/datasets.ts';
import { isTrusted } from './workspaceTrust.ts';

/** @param wanted what, and into which folder, where that is known */
export async function downloadDataset(extensionUri: vscode.Uri, wanted: unknown): Promise<void> {
  if (!isTrusted('download')) return;
  const chosen = isWanted(wanted) ? wanted : await choose();
  if (!chosen) return;
  const { name, folder } = chosen;
  const { title } = datasetDeclaration(name);
  const terminal = vscode.window.createTerminal({
    name: `Download ${title}`,
    shellPath: process.execPath,
    shellArgs: [vscode.Uri.joinPath(extensionUri, 'dist', 'cli.cjs').fsPath, ...['download', name, folder]],
    // Not in the workspace's folder, where a terminal otherwise begins.
    cwd: extensionUri,
    env: { ELECTRON_RUN_AS_NODE: '1' },
  });
  terminal.show();
}

interface Wanted {
  readonly name: DatasetName;
  /** Absolute. */
  readonly folder: string;
}

function isWanted(argument: unknown): argument is Wanted {
  if (typeof argument !== 'object' || argument === null || !('name' in argument && 'folder' in argument)) return false;
  return downloadable().some((name) => name === argument.name) && typeof argument.folder === 'string';
}

async function choose(): Promise<Wanted | undefined> {
  const items = downloadable().map((name) => {
    const { title, description, download } = datasetDeclaration(name);
    return { name, label: title, description: download?.sizeText ?? '', detail: description };
  });
  const item = await vscode.window.showQuickPick(items, { title: 'Download which data set?', matchOnDetail: true });
  if (!item) return undefined;
  const chosen = await vscode.window.showOpenDialog({
    title: `Download ${item.label} (${item.description} from its authors' site) into…`,
    openLabel: 'Download Here',
    canSelectFolders: true,
    canSelectFiles: false,
  });
  const [folder] = chosen ?? [];
  return folder && { name: item.name, folder: vscode.Uri.joinPath(folder, folderName(item.name)).fsPath };
}

/** As an experiment's default path calls it. */
function folderName(name: DatasetName): string {
  return datasetDeclaration(name).path?.byDefault.split('/').at(-1) ?? name;
}
