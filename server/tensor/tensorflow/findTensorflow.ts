// Which TensorFlow a place has: TensorFlow's packages, and the npm package's own library.
import path from 'node:path';
import {
  findPackage,
  isRecent,
  type Candidate,
  type FileView,
  type Found,
  type PackageKind,
  type PackageLibrary,
} from '../python/findPackage.ts';

/** The npm package's library has its version from its file name. */
export interface TensorflowLibrary extends PackageLibrary {
  readonly hasCuda: boolean;
}

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
export function findTensorflow(candidates: readonly Candidate[], files: FileView): Found<TensorflowLibrary> {
  return findPackage(tensorflowPackage, candidates, files);
}

const tensorflowPackage: PackageKind<TensorflowLibrary> = {
  name: 'TensorFlow',
  lookIntoPackages,
  lookElsewhere: lookIntoNpmPackage,
  remedy: tensorflowRemedy,
};

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
  if (!isRecent(Number(major), Number(minor), oldest)) {
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
