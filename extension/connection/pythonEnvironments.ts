// What VS Code knows of Python: the settings and, where the Python extension is installed, its choice for the workspace.
import * as vscode from 'vscode';
import type { SettingKey } from '../contributions.ts';
import { activated, type LibraryPlaces } from './libraryPlaces.ts';

/** The part used here of what the extension `ms-python.python` exports, as `@vscode/python-extension` declares it. */
interface PythonApi {
  readonly environments?: {
    /** Of an executable, or of an environment's folder where there is none; what is set may be invalid. */
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
  };
}

/** The server waits for this, which takes a second or two, and ten times as long on a slow machine; what hangs may not keep it for ever. */
const activationTimeoutMs = 30_000;

export async function libraryPlaces(log: (line: string) => void): Promise<LibraryPlaces> {
  const configuration = vscode.workspace.getConfiguration();
  const folders = vscode.workspace.workspaceFolders ?? [];
  const chosen = (key: SettingKey) => configuration.get<string>(key) ?? '';
  return {
    chosen: { tensorflow: chosen('kafscope.tensorflow.path'), torch: chosen('kafscope.torch.path') },
    interpreters: [
      await activeInterpreter(folders[0]?.uri, log),
      configuration.get<string>('python.defaultInterpreterPath') ?? '',
    ].filter((file) => file !== ''),
    workspaceFolders: folders.map(({ uri }) => uri.fsPath),
    isTrusted: vscode.workspace.isTrusted,
  };
}

/** Empty where the Python extension is not there, does not come up, or is of a version without this interface. */
async function activeInterpreter(resource: vscode.Uri | undefined, log: (line: string) => void): Promise<string> {
  const python = vscode.extensions.getExtension<PythonApi>('ms-python.python');
  if (!python || !vscode.workspace.isTrusted) return '';
  const api = await activated(() => python.activate(), {
    timeoutMs: activationTimeoutMs,
    onLate: () => {
      const after = `${activationTimeoutMs / 1000} s`;
      log(`The Python extension is not up after ${after}: its environment is left out. Restart Server looks again.`);
    },
  });
  return api?.environments?.getActiveEnvironmentPath(resource).path ?? '';
}
