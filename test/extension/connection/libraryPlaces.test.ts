// What the extension tells its server of TensorFlow and PyTorch, and that the server understands it.
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { activated, libraryEnvironment, type LibraryPlaces } from '../../../extension/connection/libraryPlaces.ts';
import { tensorflowPlaces } from '../../../server/tensor/tensorflow/tensorflowPlaces.ts';
import { torchPlaces } from '../../../server/tensor/torch/findTorch.ts';

const places: LibraryPlaces = {
  chosen: { tensorflow: '', torch: '' },
  interpreters: ['/conda/bin/python', 'python3'],
  workspaceFolders: ['/project', '/other'],
  isTrusted: true,
};

const placesFor = { TensorFlow: tensorflowPlaces, PyTorch: torchPlaces };

describe.each(['TensorFlow', 'PyTorch'] as const)('%s’s places', (library) => {
  const seenByServer = (env: Record<string, string>) => {
    const around = {
      platform: 'linux',
      homeFolder: '/home/me',
      workingFolder: '/runs',
      assetsFolder: '/dist',
    } as const;
    return placesFor[library]({ ...around, env }).map(({ place }) => place);
  };

  test('are the environments of the workspace folders, then the chosen interpreter', () => {
    expect(seenByServer(libraryEnvironment(places)).slice(0, 5)).toEqual([
      '/project/.venv',
      '/project/venv',
      '/other/.venv',
      '/other/venv',
      '/conda/bin/python',
    ]);
  });

  test('are its own setting alone where that is set', () => {
    const chosen = { tensorflow: '/tf', torch: '/torch' };
    const own = library === 'TensorFlow' ? '/tf' : '/torch';
    expect(seenByServer(libraryEnvironment({ ...places, chosen }))).toEqual([own]);
    const ofOther = { ...chosen, [library === 'TensorFlow' ? 'tensorflow' : 'torch']: '' };
    expect(seenByServer(libraryEnvironment({ ...places, chosen: ofOther }))[0]).toBe('/project/.venv');
  });

  test('are not in a workspace that is not trusted', () => {
    expect(libraryEnvironment({ ...places, isTrusted: false })).toEqual({});
  });
});

describe('the Python extension', () => {
  const wait = (activate: () => Promise<string>) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const onLate = vi.fn();
    return { onLate, api: activated(activate, { timeoutMs: 30_000, onLate }) };
  };

  test('may be slow to come up', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const { api, onLate } = wait(() => promise);
    vi.advanceTimersByTime(29_999);
    resolve('its interface');
    expect(await api).toBe('its interface');
    vi.advanceTimersByTime(30_000);
    expect(onLate).not.toHaveBeenCalled();
  });

  test('that hangs is said to be left out, and one that fails is not there', async () => {
    const { api, onLate } = wait(() => new Promise(() => undefined));
    vi.advanceTimersByTime(30_000);
    expect(await api).toBeUndefined();
    expect(onLate).toHaveBeenCalledOnce();
    const failed = wait(() => Promise.reject(new Error('its own')));
    expect(await failed.api).toBeUndefined();
    expect(failed.onLate).not.toHaveBeenCalled();
  });
});
