// Where TensorFlow is looked for behind the user's choice and Python's environments: what `kafscope install tensorflow` put into the
// user's data folder, and the npm package's own download beside Kafscope's.
import path from 'node:path';
import { chosenVariables } from '../../protocol/libraryVariables.ts';
import type { Candidate, Found } from '../python/findPackage.ts';
import { dataFolder, disk, placesOf, type Surroundings } from '../python/places.ts';
import { findTensorflow, type TensorflowLibrary } from './findTensorflow.ts';

/** Looks on this machine's disk. */
export function lookForTensorflow(around: Surroundings): Found<TensorflowLibrary> {
  if (around.platform === 'win32') {
    const reason = "TensorFlow's packages for Windows lack the library that this needs. In WSL it works.";
    return { library: null, reason };
  }
  return findTensorflow(tensorflowPlaces(around), disk);
}

export function tensorflowPlaces(around: Surroundings): Candidate[] {
  const npmPackages = ['tfjs-node-gpu', 'tfjs-node'].map((name) =>
    path.join(path.dirname(around.assetsFolder), 'node_modules', '@tensorflow', name),
  );
  return placesOf(around, {
    variable: chosenVariables.tensorflow,
    setting: 'kafscope.tensorflow.path',
    others: [
      [tensorflowFolder(around), 'put there by kafscope install tensorflow'],
      ...npmPackages.map((place) => [place, 'the library of the npm package @tensorflow/tfjs-node'] as const),
    ],
  });
}

/** Where `kafscope install tensorflow` puts it. */
export function tensorflowFolder(around: Surroundings): string {
  return path.join(dataFolder(around), 'tensorflow');
}
