// The cache of data sets as somebody at a terminal meets it.
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../run/scriptedRun.ts';
import { jsonLines, kafscope } from './kafscope.ts';

it('a run makes room in the cache, says so, and keeps what it uses itself', async () => {
  const cwd = temporaryFolder();
  const sets = path.join(cwd, 'cache', 'kafscope', 'datasets');
  const old = path.join(sets, '0'.repeat(32));
  fs.mkdirSync(old, { recursive: true });
  fs.writeFileSync(path.join(old, 'samples.bin'), new Uint8Array(3e6));
  const rows = Array.from({ length: 8 }, (_, row) => `${row},${row % 2}`);
  fs.writeFileSync(path.join(cwd, 'rows.csv'), `value,label\n${rows.join('\n')}\n`);
  fs.writeFileSync(
    path.join(cwd, 'rows.kaf.yaml'),
    'dataset: {name: table, path: rows.csv}\nmodel: {network: {layers: [dense: classes]}}\ntraining: {method: standard, epochs: 1}\nruntime: wasm\n',
  );
  const env = { ...process.env, XDG_CACHE_HOME: path.join(cwd, 'cache'), KAFSCOPE_CACHE_GB: '0.002' };
  const trained = await kafscope(['train', 'rows.kaf.yaml'], { cwd, env });
  expect([trained.code, trained.errors]).toEqual([
    0,
    expect.stringContaining(
      'The cache of data sets has at most 2 MB: the data set used longest ago went from it (3 MB). Opened again, they are read anew.',
    ),
  ]);
  expect(fs.existsSync(old)).toBe(false);
  const doctor = await kafscope(['doctor', '--json'], { cwd, env });
  expect(jsonLines(doctor.output)[0]).toMatchObject({
    cache: { folder: path.dirname(sets), entries: 1, limitBytes: 2e6 },
  });
  const wrong = await kafscope(['train', 'rows.kaf.yaml'], { cwd, env: { ...env, KAFSCOPE_CACHE_GB: 'much' } });
  expect([wrong.code, wrong.errors]).toEqual([1, expect.stringContaining('The variable KAFSCOPE_CACHE_GB is "much"')]);
});
