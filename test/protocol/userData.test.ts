import { describe, expect, it } from 'vitest';
import { userDataFolder } from '../../server/protocol/userData.ts';

describe("a user's own folder", () => {
  const homeFolder = '/home/u';

  it('lies where the system has such folders', () => {
    expect(userDataFolder({ env: {}, platform: 'linux', homeFolder })).toBe('/home/u/.local/share/kafscope');
    expect(userDataFolder({ env: {}, platform: 'darwin', homeFolder })).toBe(
      '/home/u/Library/Application Support/kafscope',
    );
  });

  it('lies where XDG_DATA_HOME says, if that is the same place from everywhere', () => {
    for (const platform of ['linux', 'darwin'])
      expect(userDataFolder({ env: { XDG_DATA_HOME: '/data' }, platform, homeFolder })).toBe('/data/kafscope');
    for (const relative of ['data', '', './data'])
      expect(userDataFolder({ env: { XDG_DATA_HOME: relative }, platform: 'linux', homeFolder })).toBe(
        '/home/u/.local/share/kafscope',
      );
  });
});
