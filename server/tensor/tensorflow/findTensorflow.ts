// Which TensorFlow this machine has: pure functions over the places to look in and the files that are there. Nothing is loaded.
import path from 'node:path';

/** A place where TensorFlow may be. */
export interface Candidate {
  /** Absolute: a Python interpreter, an environment, a folder of packages, or a folder with the libraries. */
  readonly place: string;
  /** For people, after the place: `named by …`. */
  readonly origin: string;
  /** The user named it: what is wrong there is said, and no other place is tried. */
  readonly isChosen: boolean;
}

export interface TensorflowLibrary {
  /** Absolute paths in the order of loading. */
  readonly files: readonly string[];
  /** For example `2.21.0`; of the npm package's library that of its file name. */
  readonly version: string;
  readonly hasCuda: boolean;
  readonly folder: string;
  readonly origin: string;
  readonly isChosen: boolean;
}

/** The files of a machine, as far as this needs them. */
export interface FileView {
  /** Names in a folder; none where there is no such folder. */
  list(folder: string): readonly string[];
  isFile(file: string): boolean;
}

export type Found = { readonly library: TensorflowLibrary } | { readonly library: null; readonly reason: string };

/** Whose libraries the binding can use; the npm package's own is older and made for it. */
const oldest = [2, 16] as const;

/** What to do where there is none that works. Where the user named a place, one that is installed elsewhere would not be looked at. */
export function tensorflowRemedy({ isChosen }: { readonly isChosen: boolean }): string {
  const install = '"kafscope install tensorflow" (in VS Code: Kafscope: Install TensorFlow…)';
  const python = `a Python that has TensorFlow ${oldest.join('.')} or newer`;
  return isChosen
    ? `Name ${python} there, or name none and install it with ${install}.`
    : `Install it with ${install}, or name ${python} in the setting kafscope.tensorflow.path.`;
}

/** The first candidate with a usable TensorFlow, or one sentence on what was found instead and one on what to do. */
export function findTensorflow(candidates: readonly Candidate[], files: FileView): Found {
  const faults: string[] = [];
  for (const candidate of candidates) {
    const looked = lookAt(candidate, files);
    if (looked !== null && typeof looked === 'object') return { library: looked };
    if (looked !== null) faults.push(looked);
    if (candidate.isChosen) {
      const fault = looked ?? `There is no TensorFlow in ${candidate.place}, ${candidate.origin}.`;
      return { library: null, reason: `${fault} ${tensorflowRemedy(candidate)}` };
    }
  }
  const found = faults.length > 0 ? faults : ['No TensorFlow was found.'];
  return { library: null, reason: [...found, tensorflowRemedy({ isChosen: false })].join(' ') };
}

/** The library, or what is wrong with it, or null where there is none. */
function lookAt(candidate: Candidate, files: FileView): TensorflowLibrary | string | null {
  let fault: string | null = null;
  for (const packages of packageFolders(candidate.place, files)) {
    const looked = lookIntoPackages(packages, candidate, files);
    if (typeof looked === 'object' && looked !== null) return looked;
    fault ??= looked;
  }
  return fault ?? lookIntoNpmPackage(candidate, files);
}

/** Folders that may hold a folder `tensorflow` with its `dist-info` beside it. */
function packageFolders(place: string, files: FileView): string[] {
  // An interpreter is <environment>/bin/python3, which in an environment is a link that leads out of it: not followed.
  const folder = files.isFile(place) ? path.dirname(path.dirname(place)) : place;
  const ofPythons = ['lib', 'lib64', 'local/lib'].flatMap((lib) =>
    files
      .list(path.join(folder, lib))
      .filter((name) => /^python3(\.\d+)?$/.test(name))
      .flatMap((python) => ['site-packages', 'dist-packages'].map((name) => path.join(folder, lib, python, name))),
  );
  return [folder, path.dirname(folder), ...ofPythons];
}

const distribution =
  /^(tensorflow|tensorflow_cpu|tensorflow_cpu_aws|tensorflow_aarch64|tensorflow_macos|tensorflow_rocm|tf_nightly|tf_nightly_cpu)-(\d+)\.(\d+)([\w.+]*)\.dist-info$/;

function lookIntoPackages(
  packages: string,
  { origin, isChosen }: Candidate,
  files: FileView,
): TensorflowLibrary | string | null {
  const matches = files.list(packages).map((name) => distribution.exec(name));
  const match = matches.find((one) => one !== null);
  if (!match) return null;
  const [, name, major, minor, rest] = match as unknown as [string, string, string, string, string];
  const version = `${major}.${minor}${rest}`;
  if (Number(major) < oldest[0] || (Number(major) === oldest[0] && Number(minor) < oldest[1])) {
    return `TensorFlow ${version} in ${packages} is older than ${oldest.join('.')}.`;
  }
  const folder = path.join(packages, 'tensorflow');
  const libraries = libraryFiles(folder, ['tensorflow_framework', 'tensorflow_cc'], files);
  if (!libraries) {
    return `TensorFlow ${version} in ${packages} has no library with TensorFlow's C interface (libtensorflow_cc).`;
  }
  const hasCuda = name === 'tensorflow' || name === 'tf_nightly';
  return { files: libraries, version, hasCuda, folder, origin, isChosen };
}

/** What tfjs-node downloads when its install script may run. */
function lookIntoNpmPackage({ place, origin, isChosen }: Candidate, files: FileView): TensorflowLibrary | null {
  const folder = path.join(place, 'deps', 'lib');
  const libraries = libraryFiles(folder, ['tensorflow_framework', 'tensorflow'], files);
  if (!libraries) return null;
  const numbers = files.list(folder).map((name) => /^libtensorflow\.(?:so\.)?(\d+\.\d+\.\d+)/.exec(name)?.[1]);
  const version = numbers.find((one) => one !== undefined) ?? '2';
  return { files: libraries, version, hasCuda: place.endsWith('-gpu'), folder, origin, isChosen };
}

/** The paths of `lib<name>.so.2` (on macOS `lib<name>.2.dylib`), or null unless all are there. */
function libraryFiles(folder: string, names: readonly string[], files: FileView): string[] | null {
  const found = names.map((name) =>
    [`lib${name}.so.2`, `lib${name}.2.dylib`].map((file) => path.join(folder, file)).find((file) => files.isFile(file)),
  );
  return found.every((file) => file !== undefined) ? found : null;
}
