// The results of long comparisons: a line of JSON for each run, added as soon as the run has ended, so that a comparison may be stopped
// at any time and goes on with what is missing. The files that are committed lie in test/bench/results.
import fs from 'node:fs';
import path from 'node:path';

/** The whole lines; of a last one that was cut off while it was written, nothing, so that its run is made again. */
export function readResults<R>(file: string): R[] {
  if (!fs.existsSync(file)) return [];
  const text = fs.readFileSync(file, 'utf8');
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as R);
}

/** In the place of a last line that was cut off. */
export function addResult(file: string, result: object): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  if (text !== '' && !text.endsWith('\n'))
    fs.truncateSync(file, Buffer.byteLength(text.slice(0, text.lastIndexOf('\n') + 1)));
  fs.appendFileSync(file, `${JSON.stringify(result)}\n`);
}

/** Whether a run with these settings is there. */
export function hasResult(results: readonly object[], settings: Readonly<Record<string, unknown>>): boolean {
  return results.some((result) =>
    Object.entries(settings).every(([key, value]) => (result as Readonly<Record<string, unknown>>)[key] === value),
  );
}
