// Names of runs: `20261123-034501-kaf-light-s0`, sortable by time and fit for a folder on every file system.

/** In order of preference: a number is added where the name is taken. */
export function* runIds(name: string, seed: number, timeMs: number): Generator<string> {
  const time = new Date(timeMs).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const slug = name
    .normalize('NFKD')
    .replace(/[^a-zA-Z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .toLowerCase()
    .slice(0, 60);
  const id = `${time}-${slug || 'run'}-s${String(seed)}`;
  yield id;
  for (let number = 2; number < 1_000_000; number++) yield `${id}-${String(number)}`;
}
