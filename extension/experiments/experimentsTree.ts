// The Experiments view: the workspace's experiment files, kept up to date by a watcher.
import path from 'node:path';
import * as vscode from 'vscode';
import { experimentGlob, experimentSuffix } from '../contributions.ts';

const maxFiles = 1000;

export class ExperimentsTree implements vscode.TreeDataProvider<vscode.Uri>, vscode.Disposable {
  private readonly changeEmitter = new vscode.EventEmitter<void>();
  private readonly watcher = vscode.workspace.createFileSystemWatcher(experimentGlob, false, true, false);
  private readonly listeners: readonly vscode.Disposable[];
  readonly onDidChangeTreeData = this.changeEmitter.event;

  constructor() {
    const onChange = (): void => {
      this.changeEmitter.fire();
    };
    this.listeners = [
      this.watcher.onDidCreate(onChange),
      this.watcher.onDidDelete(onChange),
      vscode.workspace.onDidChangeWorkspaceFolders(onChange),
    ];
  }

  async getChildren(node?: vscode.Uri): Promise<vscode.Uri[]> {
    return node ? [] : await findExperiments();
  }

  getTreeItem(file: vscode.Uri): vscode.TreeItem {
    const item = new vscode.TreeItem(path.posix.basename(file.path, experimentSuffix));
    const folder = path.posix.dirname(vscode.workspace.asRelativePath(file));
    return Object.assign(item, {
      id: file.toString(),
      resourceUri: file,
      iconPath: new vscode.ThemeIcon('beaker'),
      description: folder === '.' ? '' : folder,
      tooltip: file.fsPath,
      contextValue: 'experimentFile',
      command: { command: 'vscode.open', title: 'Open', arguments: [file] },
    });
  }

  dispose(): void {
    for (const listener of this.listeners) listener.dispose();
    this.watcher.dispose();
    this.changeEmitter.dispose();
  }
}

/** In the order of their paths. */
export async function findExperiments(): Promise<vscode.Uri[]> {
  const files = await vscode.workspace.findFiles(experimentGlob, '**/{node_modules,.kafscope}/**', maxFiles);
  return files.sort((a, b) => a.path.localeCompare(b.path));
}
