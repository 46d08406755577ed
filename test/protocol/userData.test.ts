import { describe, expect, it } from 'vitest';
import { userCacheFolder, userConfigFolder, userDataFolder } from '../../server/protocol/userData.ts';

describe("a user's own folder", () => {
  const homeFolder = '/home/u';

  it('lies where the system has such folders', () => {
    expect(userDataFolder({ env: {}, platform: 'linux', homeFolder })).toBe('/home/u/.local/share/kafscope');
    expect(userDataFolder({ env: {}, platform: 'darwin', homeFolder })).toBe(
      '/home/u/Library/Application Support/kafscope',
    );
  });

  it('of what can be made again, or of settings, lies beside it', () => {
    const on = (platform: string, env = {}) => ({ env, platform, homeFolder });
    expect(userCacheFolder(on('linux'))).toBe('/home/u/.cache/kafscope');
    expect(userCacheFolder(on('darwin'))).toBe('/home/u/Library/Caches/kafscope');
    expect(userCacheFolder(on('darwin', { XDG_CACHE_HOME: '/cache' }))).toBe('/cache/kafscope');
    expect(userCacheFolder(on('linux', { XDG_CACHE_HOME: 'cache' }))).toBe('/home/u/.cache/kafscope');
    expect(userConfigFolder(on('darwin'))).toBe('/home/u/.config/kafscope');
    expect(userConfigFolder(on('linux', { XDG_CONFIG_HOME: '/config' }))).toBe('/config/kafscope');
    expect(userConfigFolder(on('linux', { XDG_CONFIG_HOME: './config' }))).toBe('/home/u/.config/kafscope');
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
