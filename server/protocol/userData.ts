// Where Kafscope keeps what belongs to a user on this machine, the same for the server, the command line and the extension.

export interface UserSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly homeFolder: string;
}

/** For what can be made again: data sets in the form that training reads. Absolute. */
export function userCacheFolder({ env, platform, homeFolder }: UserSurroundings): string {
  const given = env['XDG_CACHE_HOME'];
  if (given?.startsWith('/')) return `${given}/kafscope`;
  return platform === 'darwin' ? `${homeFolder}/Library/Caches/kafscope` : `${homeFolder}/.cache/kafscope`;
}

/** How many gigabytes of data sets are kept there; the extension sets the variable for its server by the setting. */
export const cacheLimitVariable = 'KAFSCOPE_CACHE_GB';
export const usualCacheGb = 20;

/** Absolute. */
export function userDataFolder({ env, platform, homeFolder }: UserSurroundings): string {
  const given = env['XDG_DATA_HOME'];
  // A relative one would lie in whatever folder one is in; its specification says to ignore it.
  if (given?.startsWith('/')) return `${given}/kafscope`;
  return platform === 'darwin'
    ? `${homeFolder}/Library/Application Support/kafscope`
    : `${homeFolder}/.local/share/kafscope`;
}

/** For what a person has written there. Absolute. */
export function userConfigFolder({ env, homeFolder }: UserSurroundings): string {
  const given = env['XDG_CONFIG_HOME'];
  return given?.startsWith('/') ? `${given}/kafscope` : `${homeFolder}/.config/kafscope`;
}

/** Settings of a cluster's scheduler as JSON; the extension sets the variable for its server by the setting. */
export const schedulerVariable = 'KAFSCOPE_SLURM';
