// What scripts/mutate.mjs keeps of its verdicts in a file, and what it says of them.
import fs from 'node:fs';
import path from 'node:path';

/** @returns by the mutants' ids */
export function readResults(file) {
  if (!fs.existsSync(file)) return new Map();
  return new Map(JSON.parse(fs.readFileSync(file, 'utf8')).map((result) => [result.id, result]));
}

export function writeResults(file, judged) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(`${file}.partial`, JSON.stringify([...judged.values()], null, 1));
  fs.renameSync(`${file}.partial`, file);
}

export function describe({ file, line, column, original, replacement, code }) {
  const shown = (text) => (text.length > 60 ? `${text.slice(0, 57)}…` : text).replace(/\s+/g, ' ');
  return `${file}:${line}:${column}  ${shown(original)} → ${shown(replacement)}   in: ${shown(code)}`;
}

export function report(results, file) {
  const survivors = results.filter(({ verdict }) => verdict === 'survived');
  const byTypes = results.filter(({ by }) => by?.startsWith('types: ')).length;
  console.log(
    `\n${results.length} judged: ${results.length - survivors.length} killed (${byTypes} by types), ${survivors.length} survived`,
  );
  for (const survivor of survivors) console.log(`  ${describe(survivor)}`);
  console.log(`All verdicts: ${file}`);
  process.exitCode = survivors.length > 0 ? 1 : 0;
}
