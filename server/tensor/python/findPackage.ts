// Which library of a Python package this machine has: pure functions over the places to look in and the files that are there. Nothing
// is loaded. What a package's library looks like, tensorflow/ and torch/ say.
import path from 'node:path';

/** A place where a package may be. */
export interface Candidate {
  /** Absolute: a Python interpreter, an environment, a folder of packages, or a folder with the libraries. */
  readonly place: string;
  /** For people, after the place: `named by …`. */
  readonly origin: string;
  /** The user named it: what is wrong there is said, and no other place is tried. */
  readonly isChosen: boolean;
}

export interface PackageLibrary {
  /** Absolute paths in the order of loading. */
  readonly files: readonly string[];
  /** For example `2.21.0`. */
  readonly version: string;
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

export type Found<Library> = { readonly library: Library } | { readonly library: null; readonly reason: string };

export interface PackageKind<Library> {
  /** As people write it. */
  readonly name: string;
  /** The library in a folder of packages, or what is wrong with it, or null where there is none. */
  lookIntoPackages(packages: string, candidate: Candidate, files: FileView): Library | string | null;
  /** In a place that is none of Python's. */
  lookElsewhere?(candidate: Candidate, files: FileView): Library | null;
  /** What to do where there is none that works, in a sentence. */
  remedy(place: { readonly isChosen: boolean }): string;
}

/** The first candidate with a usable library, or one sentence on what was found instead and one on what to do. */
export function findPackage<Library extends object>(
  kind: PackageKind<Library>,
  candidates: readonly Candidate[],
  files: FileView,
): Found<Library> {
  const faults: string[] = [];
  for (const candidate of candidates) {
    const looked = lookAt(kind, candidate, files);
    if (looked !== null && typeof looked === 'object') return { library: looked };
    if (looked !== null) faults.push(looked);
    if (candidate.isChosen) {
      const fault = looked ?? `There is no ${kind.name} in ${candidate.place}, ${candidate.origin}.`;
      return { library: null, reason: `${fault} ${kind.remedy(candidate)}` };
    }
  }
  const found = faults.length > 0 ? faults : [`No ${kind.name} was found.`];
  return { library: null, reason: [...found, kind.remedy({ isChosen: false })].join(' ') };
}

/** The library, or what is wrong with it, or null where there is none. */
function lookAt<Library extends object>(
  kind: PackageKind<Library>,
  candidate: Candidate,
  files: FileView,
): Library | string | null {
  let fault: string | null = null;
  for (const packages of packageFolders(candidate.place, files)) {
    const looked = kind.lookIntoPackages(packages, candidate, files);
    if (typeof looked === 'object' && looked !== null) return looked;
    fault ??= looked;
  }
  return fault ?? kind.lookElsewhere?.(candidate, files) ?? null;
}

/** Folders that may hold a package's folder with its `dist-info` beside it. */
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

/** Whether a version is at least the oldest that works. */
export function isRecent(major: number, minor: number, [oldestMajor, oldestMinor]: readonly [number, number]): boolean {
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}
