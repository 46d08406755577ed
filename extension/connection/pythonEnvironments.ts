// What VS Code knows of Python: the settings and, where the Python extension is at work, its choice for the workspace.
import * as vscode from 'vscode';
import type { SettingKey } from '../contributions.ts';
import type { TensorflowPlaces } from './tensorflowPlaces.ts';

/** The part used here of what the extension `ms-python.python` exports. */
interface PythonApi {
  readonly environments?: { getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string } };
}

export function tensorflowPlaces(): TensorflowPlaces {
  const configuration = vscode.workspace.getConfiguration();
  const folders = vscode.workspace.workspaceFolders ?? [];
  return {
    chosen: configuration.get<string>('kafscope.tensorflow.path' satisfies SettingKey) ?? '',
    interpreters: [
      activeInterpreter(folders[0]?.uri),
      configuration.get<string>('python.defaultInterpreterPath') ?? '',
    ].filter((file) => file !== ''),
    workspaceFolders: folders.map(({ uri }) => uri.fsPath),
    isTrusted: vscode.workspace.isTrusted,
  };
}

/** Empty where the Python extension is not there, not at work yet, or of a version without this interface. */
function activeInterpreter(resource: vscode.Uri | undefined): string {
  const python = vscode.extensions.getExtension<PythonApi>('ms-python.python');
  if (!python?.isActive) return '';
  return python.exports.environments?.getActiveEnvironmentPath(resource).path ?? '';
}
