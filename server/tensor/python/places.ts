// Where a Python package's library is looked for, in order: what the user chose, the Python environments that a trusted window names or
// that are activated, then what belongs to the package alone. Never in the folder that one happens to be in: what lies there may be a
// stranger's, and a library that is found is loaded.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pythonEnvironments } from '../../protocol/libraryVariables.ts';
import { userDataFolder } from '../../protocol/userData.ts';
import type { Candidate, FileView } from './findPackage.ts';

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly homeFolder: string;
  readonly workingFolder: string;
  /** The folder of the bundles, beside which a checkout has its `node_modules`. */
  readonly assetsFolder: string;
}

export function surroundings(assetsFolder: string): Surroundings {
  return {
    env: process.env,
    platform: process.platform,
    homeFolder: os.homedir(),
    workingFolder: process.cwd(),
    assetsFolder,
  };
}

export interface PlaceSettings {
  /** The variable with what the user chose. */
  readonly variable: string;
  /** The setting of the same meaning. */
  readonly setting: string;
  /** Places behind the environments, with where they come from. */
  readonly others: readonly (readonly [place: string, origin: string])[];
}

/** What the user chose alone, else the environments and the other places. */
export function placesOf(around: Surroundings, { variable, setting, others }: PlaceSettings): Candidate[] {
  const { env, workingFolder } = around;
  const chosen = env[variable];
  if (chosen) {
    const origin = `named by the setting ${setting} or the variable ${variable}`;
    return [{ place: path.resolve(workingFolder, expandHome(chosen, around.homeFolder)), origin, isChosen: true }];
  }
  const named = (env[pythonEnvironments] ?? '').split(path.delimiter);
  // A relative path would lead into the folder that one is in.
  const environments = [...named, env['VIRTUAL_ENV'], env['CONDA_PREFIX']].filter(
    (place): place is string => place !== undefined && path.isAbsolute(place),
  );
  return [...environments.map((place) => [place, 'a Python environment'] as const), ...others].map(
    ([place, origin]) => ({ place, origin, isChosen: false }),
  );
}

/** Where Kafscope keeps what belongs to a user on this machine. */
export function dataFolder(around: Surroundings): string {
  return path.normalize(userDataFolder(around));
}

/** This machine's. */
export const disk: FileView = {
  list: (folder) => {
    try {
      return fs.readdirSync(folder);
    } catch {
      return []; // a place that is not there, or not ours to read, holds nothing
    }
  },
  isFile: (file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile() ?? false,
};

function expandHome(place: string, homeFolder: string): string {
  return place === '~' || place.startsWith('~/') ? path.join(homeFolder, place.slice(1)) : place;
}
