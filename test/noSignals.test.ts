// Which processes the sources end: those that they have forked and hold, and no process by its number.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const sources = ['server', 'extension', 'webview'].flatMap((folder) =>
  fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => path.join(root, folder, file)),
);
const calls = sources.flatMap((file) => fs.readFileSync(file, 'utf8').match(/\bprocess\s*\.\s*kill\s*\([^;]*;/g) ?? []);

describe('a process id', () => {
  it('of a process that Kafscope did not start is asked for with signal 0 alone, which looks and ends nothing', () => {
    expect(calls.length).toBeGreaterThan(0);
    for (const call of calls) expect(call).toMatch(/^process\.kill\(\w+, 0\);$/);
  });

  it('reaches no program that ends processes', () => {
    const text = sources.map((file) => fs.readFileSync(file, 'utf8')).join('\n');
    expect(text).not.toMatch(/['"`](?:\/bin\/)?(?:kill|pkill|killall|taskkill)['"` ]/);
  });
});
