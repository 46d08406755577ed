// What the extension tells its server of TensorFlow, and that the server understands it.
import { describe, expect, test } from 'vitest';
import { tensorflowEnvironment, type TensorflowPlaces } from '../../../extension/connection/tensorflowPlaces.ts';
import { tensorflowPlaces } from '../../../server/tensor/tensorflow/tensorflowPlaces.ts';

const places: TensorflowPlaces = {
  chosen: '',
  interpreters: ['/conda/bin/python', 'python3'],
  workspaceFolders: ['/project', '/other'],
  isTrusted: true,
};

function seenByServer(env: Record<string, string>): string[] {
  const around = { platform: 'linux', homeFolder: '/home/me', workingFolder: '/runs', assetsFolder: '/dist' } as const;
  return tensorflowPlaces({ ...around, env }).map(({ place }) => place);
}

describe('TensorFlow’s places', () => {
  test('are the environments of the workspace folders, then the chosen interpreter', () => {
    expect(seenByServer(tensorflowEnvironment(places)).slice(0, 5)).toEqual([
      '/project/.venv',
      '/project/venv',
      '/other/.venv',
      '/other/venv',
      '/conda/bin/python',
    ]);
  });

  test('are the setting alone where it is set', () => {
    expect(seenByServer(tensorflowEnvironment({ ...places, chosen: '/tf' }))).toEqual(['/tf']);
  });

  test('are not in a workspace that is not trusted', () => {
    expect(tensorflowEnvironment({ ...places, isTrusted: false })).toEqual({});
  });
});
