// Which PyTorch is found among made-up files. That a found one can be loaded is shown by the contract suites.
import { describe, expect, it } from 'vitest';
import type { Candidate, FileView } from '../../../server/tensor/python/findPackage.ts';
import { findTorch, lookForTorch, torchPlaces } from '../../../server/tensor/torch/findTorch.ts';

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

const environment = '/project/.venv';
const packages = `${environment}/lib/python3.12/site-packages`;

function wheel(folder: string, version: string, ...libraries: readonly string[]): string[] {
  const names = ['libc10.so', 'libtorch_cpu.so', ...libraries];
  return [`${folder}/torch-${version}.dist-info/METADATA`, ...names.map((name) => `${folder}/torch/lib/${name}`)];
}

function candidate(place: string, more: Partial<Candidate> = {}): Candidate {
  return { place, origin: `from ${place}`, isChosen: false, ...more };
}

describe('finding PyTorch', () => {
  it.each([
    ['an interpreter', `${environment}/bin/python3`],
    ['an environment', environment],
    ['a folder of packages', packages],
    ['the package itself', `${packages}/torch`],
  ])('takes %s', (_what, place) => {
    const files = disk(`${environment}/bin/python3`, ...wheel(packages, '2.15.0'));
    expect(findTorch([candidate(place)], files)).toEqual({
      library: {
        files: [`${packages}/torch/lib/libc10.so`, `${packages}/torch/lib/libtorch_cpu.so`],
        accelerators: { cuda: [], xpu: [] },
        version: '2.15.0',
        folder: `${packages}/torch/lib`,
        origin: `from ${place}`,
        isChosen: false,
      },
    });
  });

  it('names the libraries of a GPU where the build has them, c10 before torch', () => {
    const cuda = disk(...wheel(packages, '2.15.0+cu132', 'libc10_cuda.so', 'libtorch_cuda.so'));
    const xpu = disk(...wheel(packages, '2.15.0+xpu', 'libc10_xpu.so', 'libtorch_xpu.so'));
    const [ofCuda, ofXpu] = [cuda, xpu].map((files) => findTorch([candidate(environment)], files).library);
    expect(ofCuda?.accelerators).toEqual({
      cuda: [`${packages}/torch/lib/libc10_cuda.so`, `${packages}/torch/lib/libtorch_cuda.so`],
      xpu: [],
    });
    expect(ofXpu?.accelerators.xpu).toEqual([
      `${packages}/torch/lib/libc10_xpu.so`,
      `${packages}/torch/lib/libtorch_xpu.so`,
    ]);
    expect(ofXpu?.version).toBe('2.15.0+xpu');
  });

  it('takes 2.11 and newer, and says so of older ones and of one without its library', () => {
    const versions = ['1.13.1', '2.10.0', '2.11.0', '2.12.0rc1', '3.0.0'];
    const found = versions.map((version) => findTorch([candidate(environment)], disk(...wheel(packages, version))));
    expect(found.map(({ library }) => library?.version)).toEqual([
      undefined,
      undefined,
      '2.11.0',
      '2.12.0rc1',
      '3.0.0',
    ]);
    const bare = '/bare/lib/python3.12/site-packages';
    const files = disk(...wheel(packages, '2.10.0'), `${bare}/torch-2.15.0.dist-info/METADATA`);
    const places = [environment, '/bare'].map((place) => candidate(place));
    expect(findTorch(places, files)).toEqual({
      library: null,
      reason:
        `PyTorch 2.10.0 in ${packages} is older than 2.11. PyTorch 2.15.0 in ${bare} has no library libtorch_cpu. ` +
        `Install it with "python -m pip install torch" in the workspace's environment, or name a Python that has PyTorch 2.11 or newer in the setting kafscope.torch.path.`,
    });
  });

  it('takes no other package for it', () => {
    for (const name of ['torchvision-0.30.0', 'torch_geometric-2.15.0', 'torchattacks-3.5.1']) {
      const files = disk(`${packages}/${name}.dist-info/METADATA`);
      expect(findTorch([candidate(environment)], files)).toMatchObject({
        reason: expect.stringMatching(/^No PyTorch was found\. Install it with/) as string,
      });
    }
  });

  it('looks no further where the place that the user chose has none', () => {
    const chosen = candidate('/chosen', { isChosen: true, origin: 'named by the setting' });
    const found = findTorch([chosen, candidate(environment)], disk(...wheel(packages, '2.15.0')));
    expect(found).toMatchObject({
      library: null,
      reason: expect.stringMatching(
        /^There is no PyTorch in \/chosen, named by the setting\. Install it there with "python -m pip install torch", or name/,
      ) as string,
    });
  });
});

describe('PyTorch’s places', () => {
  const around = { homeFolder: '/home/me', workingFolder: '/here', assetsFolder: '/app/dist' } as const;

  it('are the environments, and nothing of the folder that one is in', () => {
    const env = { KAFSCOPE_PYTHON_ENVIRONMENTS: '/a:.venv:/b', VIRTUAL_ENV: '/active', CONDA_PREFIX: 'relative' };
    expect(torchPlaces({ ...around, platform: 'linux', env }).map(({ place }) => place)).toEqual([
      '/a',
      '/b',
      '/active',
    ]);
    expect(torchPlaces({ ...around, platform: 'linux', env: {} })).toEqual([]);
  });

  it('are the chosen one alone, from the home folder or the working folder', () => {
    const placeOf = (chosen: string) =>
      torchPlaces({ ...around, platform: 'linux', env: { KAFSCOPE_TORCH: chosen, VIRTUAL_ENV: '/active' } });
    expect(placeOf('~/torch')).toMatchObject([{ place: '/home/me/torch', isChosen: true }]);
    expect(placeOf('torch')).toMatchObject([{ place: '/here/torch' }]);
  });

  it('are not looked at on Windows', () => {
    expect(lookForTorch({ ...around, platform: 'win32', env: {} })).toEqual({
      library: null,
      reason: 'Kafscope has no binding to PyTorch for Windows. In WSL it works.',
    });
  });
});
