// Which PyTorch a place has, and which of its libraries there are to load.
import path from 'node:path';
import { chosenVariables } from '../../protocol/libraryVariables.ts';
import {
  findPackage,
  isRecent,
  type Candidate,
  type FileView,
  type Found,
  type PackageKind,
  type PackageLibrary,
} from '../python/findPackage.ts';
import { disk, placesOf, type Surroundings } from '../python/places.ts';

export interface TorchLibrary extends PackageLibrary {
  /** Loaded where a device needs them; empty where this build is for the CPU alone. */
  readonly accelerators: Readonly<Record<'cuda' | 'xpu', readonly string[]>>;
}

/** The first release whose C interface has all that the binding calls. */
const oldest = [2, 11] as const;

/** Looks on this machine's disk. */
export function lookForTorch(around: Surroundings): Found<TorchLibrary> {
  if (around.platform === 'win32') {
    return { library: null, reason: 'Kafscope has no binding to PyTorch for Windows. In WSL it works.' };
  }
  return findTorch(torchPlaces(around), disk);
}

export function torchPlaces(around: Surroundings): Candidate[] {
  return placesOf(around, { variable: chosenVariables.torch, setting: 'kafscope.torch.path', others: [] });
}

/** The first candidate with a usable PyTorch, or one sentence on what was found instead and one on what to do. */
export function findTorch(candidates: readonly Candidate[], files: FileView): Found<TorchLibrary> {
  return findPackage(torchPackage, candidates, files);
}

/** What to do where there is none that works. Where the user named a place, one that is installed elsewhere would not be looked at. */
export function torchRemedy({ isChosen }: { readonly isChosen: boolean }): string {
  const python = `a Python that has PyTorch ${oldest.join('.')} or newer`;
  return isChosen
    ? `Install it there with "python -m pip install torch", or name ${python}.`
    : `Install it with "python -m pip install torch" in the workspace's environment, or name ${python} in the setting kafscope.torch.path.`;
}

const torchPackage: PackageKind<TorchLibrary> = { name: 'PyTorch', lookIntoPackages, remedy: torchRemedy };

function lookIntoPackages(
  packages: string,
  { origin, isChosen }: Candidate,
  files: FileView,
): TorchLibrary | string | null {
  const matches = files.list(packages).map((name) => /^torch-(\d+)\.(\d+)([\w.+]*)\.dist-info$/.exec(name));
  const match = matches.find((one) => one !== null);
  if (!match) return null;
  const [, major, minor, rest] = match as unknown as [string, string, string, string];
  const version = `${major}.${minor}${rest}`;
  if (!isRecent(Number(major), Number(minor), oldest)) {
    return `PyTorch ${version} in ${packages} is older than ${oldest.join('.')}.`;
  }
  const folder = path.join(packages, 'torch', 'lib');
  const libraries = libraryFiles(folder, ['c10', 'torch_cpu'], files);
  if (!libraries) return `PyTorch ${version} in ${packages} has no library libtorch_cpu.`;
  const accelerators = {
    cuda: libraryFiles(folder, ['c10_cuda', 'torch_cuda'], files) ?? [],
    xpu: libraryFiles(folder, ['c10_xpu', 'torch_xpu'], files) ?? [],
  };
  return { files: libraries, accelerators, version, folder, origin, isChosen };
}

/** The paths of `lib<name>.so` (on macOS `lib<name>.dylib`), or null unless all are there. */
function libraryFiles(folder: string, names: readonly string[], files: FileView): string[] | null {
  const found = names.map((name) =>
    ['so', 'dylib'].map((ending) => path.join(folder, `lib${name}.${ending}`)).find((file) => files.isFile(file)),
  );
  return found.every((file) => file !== undefined) ? found : null;
}
