// What the panel of a sweep is told of the command line's lines and of its end.
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runSweep } from '../../../extension/panels/sweep.ts';
import type { ToLearningRate } from '../../../server/protocol/panel.ts';
import { temporaryFolder } from '../../run/scriptedRun.ts';
import { assetsFolder } from '../../tensor/wasm/builds.ts';

const point = { type: 'point', step: 1, learningRate: 1e-6, loss: 2.3, smoothed: 2.3 };
const done = { type: 'done', steps: 1, suggestions: [], ends: { min: 1e-4, max: 1e-3 } };

/** A command line that writes these lines, and then does as the code says. */
async function sweepOf(lines: readonly object[], ending: string, signal = new AbortController().signal) {
  const file = path.join(temporaryFolder(), 'cli.cjs');
  const written = lines.map((line) => JSON.stringify(line)).join('\n');
  fs.writeFileSync(file, `process.stdout.write(${JSON.stringify(`${written}\n`)}, () => { ${ending} });`);
  const command = { file: process.execPath, args: [file], env: process.env };
  const told: ToLearningRate[] = [];
  await runSweep(command, { name: 'a.kaf.yaml', signal, tell: (view) => told.push(view) });
  return told;
}

test('points come one by one, then what they suggest', async () => {
  const told = await sweepOf([point, { ...point, step: 2, loss: 2.1 }, done], '');
  expect(told.map(({ status, points }) => [status, points.length])).toEqual([
    ['running', 1],
    ['running', 2],
    ['done', 2],
  ]);
  expect(told.at(-1)).toMatchObject({ name: 'a.kaf.yaml', steps: 100, ends: done.ends, applied: null, message: null });
  expect(told[0]!.points[0]).toEqual({ step: 1, learningRate: 1e-6, loss: 2.3, smoothed: 2.3 });
});

test('a loss that never fell is an end like another, although the command ends with code 1', async () => {
  const told = await sweepOf([point, { ...done, ends: null }], 'process.exit(1)');
  expect(told.at(-1)).toMatchObject({ status: 'done', ends: null });
});

test('a sweep that fails says why, in the words of the command line or by its code', async () => {
  const words = "console.error('kafscope: There is no data.'); process.exit(1)";
  expect((await sweepOf([point], words)).at(-1)).toMatchObject({ status: 'failed', message: 'There is no data.' });
  expect((await sweepOf([point], 'process.exit(3)')).at(-1)).toMatchObject({
    status: 'failed',
    message: 'The sweep ended with code 3.',
  });
});

test('one that is cancelled is ended as a process, and keeps its points', async () => {
  const controller = new AbortController();
  const running = sweepOf([point], 'setInterval(() => {}, 1000)', controller.signal);
  controller.abort();
  const told = await running;
  expect(told.at(-1)).toMatchObject({ status: 'cancelled', message: null });
});

test('the built command line tells what the panel understands', async () => {
  const folder = temporaryFolder();
  const file = path.join(folder, 'tiny.kaf.yaml');
  fs.writeFileSync(
    file,
    'name: tiny\nruntime: wasm\ndataset: {name: shapes, trainSamples: 8, testSamples: 4}\n' +
      'model: {network: light, activation: relu}\ntraining: {batchSize: 4}\n',
  );
  const command = {
    file: process.execPath,
    args: [path.join(assetsFolder, 'cli.cjs'), 'lr-find', file, '--json', '--steps', '4'],
    env: process.env,
  };
  const told: ToLearningRate[] = [];
  const { signal } = new AbortController();
  await runSweep(command, { name: 'tiny', signal, tell: (view) => told.push(view) });
  expect(told.map(({ points }) => points.length)).toEqual([1, 2, 3, 4, 4]);
  expect(told.at(-1)!.status).toBe('done');
});
