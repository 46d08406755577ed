// Which TensorFlow is found among made-up files. That a found one can be loaded is shown by the contract suites.
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Candidate, FileView } from '../../../server/tensor/python/findPackage.ts';
import type { Surroundings } from '../../../server/tensor/python/places.ts';
import { findTensorflow } from '../../../server/tensor/tensorflow/findTensorflow.ts';
import { tensorflowFolder, tensorflowPlaces } from '../../../server/tensor/tensorflow/tensorflowPlaces.ts';

/** A disk that holds these files and nothing else. */
function disk(...files: readonly string[]): FileView {
  return {
    list: (folder) => [
      ...new Set(
        files
          .filter((file) => file.startsWith(`${folder}/`))
          .map((file) => file.slice(folder.length + 1).split('/')[0]!),
      ),
    ],
    isFile: (file) => files.includes(file),
  };
}

function wheel(packages: string, info = 'tensorflow_cpu-2.21.0'): string[] {
  return [
    `${packages}/${info}.dist-info/METADATA`,
    `${packages}/tensorflow/libtensorflow_cc.so.2`,
    `${packages}/tensorflow/libtensorflow_framework.so.2`,
  ];
}

function candidate(place: string, more: Partial<Candidate> = {}): Candidate {
  return { place, origin: `from ${place}`, isChosen: false, ...more };
}

const environment = '/project/.venv';
const packages = `${environment}/lib/python3.12/site-packages`;

describe('finding TensorFlow', () => {
  it.each([
    ['an interpreter', `${environment}/bin/python3`],
    ['an environment', environment],
    ['a folder of packages', packages],
    ['the folder with the libraries', `${packages}/tensorflow`],
  ])('takes %s', (_what, place) => {
    const files = disk(`${environment}/bin/python3`, ...wheel(packages));
    expect(findTensorflow([candidate(place)], files)).toEqual({
      library: {
        files: [`${packages}/tensorflow/libtensorflow_framework.so.2`, `${packages}/tensorflow/libtensorflow_cc.so.2`],
        version: '2.21.0',
        hasCuda: false,
        folder: `${packages}/tensorflow`,
        origin: `from ${place}`,
        isChosen: false,
      },
    });
  });

  it('reads the version from the metadata of any of TensorFlow’s packages, and of no other package', () => {
    const versions: [string, string | undefined][] = [
      ['tensorflow-2.16.1', '2.16.1'],
      ['tensorflow-2.20.0rc0', '2.20.0rc0'],
      ['tf_nightly-2.22.0.dev20260101', '2.22.0.dev20260101'],
      ['tensorflow_macos-2.16.2', '2.16.2'],
      ['tensorflow_datasets-4.9.9', undefined],
      ['tensorflow_io_gcs_filesystem-0.37.1', undefined],
    ];
    for (const [info, version] of versions) {
      const { library } = findTensorflow([candidate(environment)], disk(...wheel(packages, info)));
      expect(library?.version, info).toBe(version);
    }
  });

  it('tells a build with CUDA from one for the CPU', () => {
    const found = ['tensorflow-2.21.0', 'tensorflow_cpu-2.21.0'].map(
      (info) => findTensorflow([candidate(environment)], disk(...wheel(packages, info))).library?.hasCuda,
    );
    expect(found).toEqual([true, false]);
  });

  it('takes the first place that has a usable one, and says nothing of the others', () => {
    const old = wheel('/old/lib/python3.9/site-packages', 'tensorflow-2.15.1');
    const files = disk(...old, ...wheel(packages), ...wheel('/later'));
    const { library } = findTensorflow(
      ['/empty', '/old', environment, '/later'].map((place) => candidate(place)),
      files,
    );
    expect(library?.folder).toBe(`${packages}/tensorflow`);
  });

  it('says what was found where none is usable, and what to do', () => {
    const old = '/old/lib/python3.9/site-packages';
    const bare = '/bare/lib/python3.12/site-packages';
    const files = disk(...wheel(old, 'tensorflow-2.15.1'), `${bare}/tensorflow-2.21.0.dist-info/METADATA`);
    const found = findTensorflow(
      ['/old', '/bare'].map((place) => candidate(place)),
      files,
    );
    expect(found).toEqual({
      library: null,
      reason:
        `TensorFlow 2.15.1 in ${old} is older than 2.16. ` +
        `TensorFlow 2.21.0 in ${bare} has no library with TensorFlow's C interface (libtensorflow_cc). ` +
        'Install it with "kafscope install tensorflow" (in VS Code: Kafscope: Install TensorFlow…), or name a Python that has TensorFlow 2.16 or newer in the setting kafscope.tensorflow.path.',
    });
    expect(findTensorflow([], files)).toMatchObject({
      reason: expect.stringMatching(/^No TensorFlow was found\. Install/) as string,
    });
  });

  it('looks no further where the place that the user chose has none', () => {
    const chosen = candidate('/chosen', { isChosen: true, origin: 'named by the setting' });
    const found = findTensorflow([chosen, candidate(environment)], disk(...wheel(packages)));
    expect(found).toMatchObject({
      library: null,
      reason: expect.stringMatching(
        /^There is no TensorFlow in \/chosen, named by the setting\. Name a Python .* there, or name none and install it with/,
      ) as string,
    });
  });

  it('takes the download of the npm package, whose library has another name', () => {
    const folder = '/project/node_modules/@tensorflow/tfjs-node-gpu/deps/lib';
    const files = ['libtensorflow.so.2', 'libtensorflow.so.2.9.1', 'libtensorflow_framework.so.2'];
    const { library } = findTensorflow(
      [candidate('/project/node_modules/@tensorflow/tfjs-node-gpu')],
      disk(...files.map((file) => `${folder}/${file}`)),
    );
    expect(library).toMatchObject({
      version: '2.9.1',
      files: [`${folder}/libtensorflow_framework.so.2`, `${folder}/libtensorflow.so.2`],
    });
  });
});

describe('the places to look in', () => {
  const around: Surroundings = {
    env: {},
    platform: 'linux',
    homeFolder: '/home/me',
    workingFolder: '/project',
    assetsFolder: '/kafscope/dist',
  };
  const placesIn = (more: Partial<Surroundings>) => tensorflowPlaces({ ...around, ...more }).map(({ place }) => place);

  it('are the environments that are named or activated, the installed one, and the npm packages, and none in the working folder', () => {
    const env = {
      KAFSCOPE_PYTHON_ENVIRONMENTS: ['/conda/bin/python', '/trusted/env', '.venv'].join(path.delimiter),
      VIRTUAL_ENV: '/active',
      CONDA_PREFIX: 'conda',
    };
    expect(placesIn({ env })).toEqual([
      '/conda/bin/python',
      '/trusted/env',
      '/active',
      '/home/me/.local/share/kafscope/tensorflow',
      '/kafscope/node_modules/@tensorflow/tfjs-node-gpu',
      '/kafscope/node_modules/@tensorflow/tfjs-node',
    ]);
  });

  it('are the chosen one alone where there is a choice', () => {
    expect(placesIn({ env: { KAFSCOPE_TENSORFLOW: '~/tf/bin/python3', VIRTUAL_ENV: '/active' } })).toEqual([
      '/home/me/tf/bin/python3',
    ]);
    expect(placesIn({ env: { KAFSCOPE_TENSORFLOW: 'tf' } })).toEqual(['/project/tf']);
  });

  it('hold the installed one where the platform keeps a user’s data', () => {
    expect(tensorflowFolder({ ...around, env: { XDG_DATA_HOME: '/data' } })).toBe('/data/kafscope/tensorflow');
    expect(tensorflowFolder({ ...around, platform: 'darwin' })).toBe(
      '/home/me/Library/Application Support/kafscope/tensorflow',
    );
  });
});
