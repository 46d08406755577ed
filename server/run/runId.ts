// Names of runs: `20261123-034501-kaf-light-s0`, sortable by time and fit for a folder on every file system.

/** `takenIds` says what exists already; a number is added where the name is taken. */
export function makeRunId(name: string, seed: number, timeMs: number, isTaken: (id: string) => boolean): string {
  const time = new Date(timeMs).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const slug = name
    .normalize('NFKD')
    .replace(/[^a-zA-Z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .toLowerCase()
    .slice(0, 60);
  const id = `${time}-${slug || 'run'}-s${String(seed)}`;
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? id : `${id}-${String(number)}`;
    if (!isTaken(candidate)) return candidate;
  }
}
