// Where the server may find the libraries of TensorFlow and PyTorch: the user's choices and the Python environments of a trusted workspace.
// Looking there is the server's business.
import path from 'node:path';
import { chosenVariables, pythonEnvironments, type PythonLibrary } from '../../server/protocol/libraryVariables.ts';

export interface LibraryPlaces {
  /** The settings; empty where the user chose nothing. */
  readonly chosen: Readonly<Record<PythonLibrary, string>>;
  /** Interpreters, or folders of environments, that the Python extension or its setting names. */
  readonly interpreters: readonly string[];
  readonly workspaceFolders: readonly string[];
  /** An environment in the workspace holds native code, which is loaded from trusted workspaces only. */
  readonly isTrusted: boolean;
}

/** Environment variables for the server. */
export function libraryEnvironment(places: LibraryPlaces): Record<string, string> {
  const { chosen, interpreters, workspaceFolders, isTrusted } = places;
  const inWorkspace = workspaceFolders.flatMap((folder) => ['.venv', 'venv'].map((name) => path.join(folder, name)));
  const environments = isTrusted ? [...inWorkspace, ...interpreters.filter((file) => path.isAbsolute(file))] : [];
  return {
    ...Object.fromEntries(
      Object.entries(chosenVariables).flatMap(([library, variable]) => {
        const place = chosen[library as PythonLibrary];
        return place === '' ? [] : [[variable, absolute(place, workspaceFolders[0])]];
      }),
    ),
    ...(environments.length === 0 ? {} : { [pythonEnvironments]: environments.join(path.delimiter) }),
  };
}

/** A relative path of the setting begins in the workspace: the server runs elsewhere. VS Code keeps it from untrusted workspaces. */
function absolute(place: string, workspaceFolder: string | undefined): string {
  const isHome = place === '~' || place.startsWith('~/');
  return isHome || workspaceFolder === undefined ? place : path.resolve(workspaceFolder, place);
}

/** What an extension exports once it is up; undefined where it fails, which is its own to tell, or is not up by then. */
export async function activated<Api>(
  activate: () => PromiseLike<Api>,
  { timeoutMs, onLate }: { readonly timeoutMs: number; readonly onLate: () => void },
): Promise<Api | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      onLate();
      resolve(undefined);
    }, timeoutMs);
  });
  try {
    return await Promise.race([Promise.resolve(activate()).catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}
