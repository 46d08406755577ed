// What VS Code knows of Python: the settings and, where the Python extension is installed, its choice for the workspace.
import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { SettingKey } from '../contributions.ts';
import type { TensorflowPlaces } from './tensorflowPlaces.ts';

/** The part used here of what the extension `ms-python.python` exports, as `@vscode/python-extension` declares it. */
interface PythonApi {
  readonly environments?: {
    /** Of an executable, or of an environment's folder where there is none; what is set may be invalid. */
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
  };
}

/** The server waits for this. */
const activationTimeoutMs = 3000;

export async function tensorflowPlaces(): Promise<TensorflowPlaces> {
  const configuration = vscode.workspace.getConfiguration();
  const folders = vscode.workspace.workspaceFolders ?? [];
  return {
    chosen: configuration.get<string>('kafscope.tensorflow.path' satisfies SettingKey) ?? '',
    interpreters: [
      await activeInterpreter(folders[0]?.uri),
      configuration.get<string>('python.defaultInterpreterPath') ?? '',
    ].filter((file) => file !== ''),
    workspaceFolders: folders.map(({ uri }) => uri.fsPath),
    isTrusted: vscode.workspace.isTrusted,
  };
}

/** Empty where the Python extension is not there, does not come up, or is of a version without this interface. */
async function activeInterpreter(resource: vscode.Uri | undefined): Promise<string> {
  const python = vscode.extensions.getExtension<PythonApi>('ms-python.python');
  if (!python || !vscode.workspace.isTrusted) return '';
  // Its own failures are its own to tell.
  const activated = Promise.resolve(python.activate()).catch(() => undefined);
  const api = await Promise.race([activated, delay(activationTimeoutMs, undefined)]);
  return api?.environments?.getActiveEnvironmentPath(resource).path ?? '';
}
