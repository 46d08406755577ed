// Where the server may find TensorFlow: the user's choice and the Python environments of a trusted workspace. Looking there is the
// server's business.
import path from 'node:path';
import { tensorflowVariables } from '../../server/protocol/tensorflowVariables.ts';

export interface TensorflowPlaces {
  /** The setting; empty where the user chose nothing. */
  readonly chosen: string;
  /** Interpreters, or folders of environments, that the Python extension or its setting names. */
  readonly interpreters: readonly string[];
  readonly workspaceFolders: readonly string[];
  /** An environment in the workspace holds native code, which is loaded from trusted workspaces only. */
  readonly isTrusted: boolean;
}

/** Environment variables for the server. */
export function tensorflowEnvironment(places: TensorflowPlaces): Record<string, string> {
  const { chosen, interpreters, workspaceFolders, isTrusted } = places;
  const inWorkspace = workspaceFolders.flatMap((folder) => ['.venv', 'venv'].map((name) => path.join(folder, name)));
  const environments = isTrusted ? [...inWorkspace, ...interpreters.filter((file) => path.isAbsolute(file))] : [];
  return {
    ...(chosen === '' ? {} : { [tensorflowVariables.chosen]: absolute(chosen, workspaceFolders[0]) }),
    ...(environments.length === 0 ? {} : { [tensorflowVariables.environments]: environments.join(path.delimiter) }),
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
