// Where TensorFlow is looked for, in order: what the user chose, the Python environments that a trusted window names or that are
// activated, what `kafscope install tensorflow` put into the user's data folder, the npm package's own download beside Kafscope's. Never
// in the folder that one happens to be in: what lies there may be a stranger's, and a library that is found is loaded.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { tensorflowVariables } from '../../protocol/tensorflowVariables.ts';
import { userDataFolder } from '../../protocol/userData.ts';
import { findTensorflow, type Candidate, type FileView, type Found } from './findTensorflow.ts';

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

/** Looks on this machine's disk. */
export function lookForTensorflow(around: Surroundings): Found {
  if (around.platform === 'win32') {
    const reason = "TensorFlow's packages for Windows lack the library that this needs. In WSL it works.";
    return { library: null, reason };
  }
  return findTensorflow(tensorflowPlaces(around), disk);
}

export function tensorflowPlaces(around: Surroundings): Candidate[] {
  const { env, workingFolder, assetsFolder } = around;
  const chosen = env[tensorflowVariables.chosen];
  if (chosen) {
    const origin = `named by the setting kafscope.tensorflow.path or the variable ${tensorflowVariables.chosen}`;
    return [{ place: path.resolve(workingFolder, expandHome(chosen, around.homeFolder)), origin, isChosen: true }];
  }
  const named = (env[tensorflowVariables.environments] ?? '').split(path.delimiter);
  // A relative path would lead into the folder that one is in.
  const environments = [...named, env['VIRTUAL_ENV'], env['CONDA_PREFIX']].filter(
    (place): place is string => place !== undefined && path.isAbsolute(place),
  );
  const npmPackages = ['tfjs-node-gpu', 'tfjs-node'].map((name) =>
    path.join(path.dirname(assetsFolder), 'node_modules', '@tensorflow', name),
  );
  return [
    ...environments.map((place) => [place, 'a Python environment'] as const),
    [tensorflowFolder(around), 'put there by kafscope install tensorflow'] as const,
    ...npmPackages.map((place) => [place, 'the library of the npm package @tensorflow/tfjs-node'] as const),
  ].map(([place, origin]) => ({ place, origin, isChosen: false }));
}

/** Where `kafscope install tensorflow` puts it. */
export function tensorflowFolder(around: Surroundings): string {
  return path.join(dataFolder(around), 'tensorflow');
}

/** Where Kafscope keeps what belongs to a user on this machine. */
export function dataFolder(around: Surroundings): string {
  return path.normalize(userDataFolder(around));
}

const disk: FileView = {
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
