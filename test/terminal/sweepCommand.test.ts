// `kafscope sweep` as built, with the real trainer on pictures made by Kafscope.
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { readRows, temporaryFolder } from '../run/scriptedRun.ts';
import { jsonLines, kafscope, startKafscope } from './kafscope.ts';

const text = `
name: tiny
runtime: wasm
dataset: { name: shapes, trainSamples: 48, testSamples: 8 }
model: { network: light, activation: relu }
training: { epochs: 2, batchSize: 16 }
observe: { robustSamples: 0, tensorboard: false }
`;

function project(matrix: string): string {
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, 'tiny.kaf.yaml'), text + matrix);
  return folder;
}

it('runs the cells, says how they stand, and runs only what is new when the file has grown', async () => {
  const cwd = project('matrix: {seed: [0]}\n');
  const first = await kafscope(['sweep', 'tiny.kaf.yaml', '--json', '--at-once', '1'], { cwd });
  expect([first.code, first.errors]).toEqual([0, '']);
  expect(jsonLines(first.output).at(-1)).toEqual({
    ...{ type: 'done', end: 'done', message: null },
    ...{ failed: 0, finished: 1, working: 0, left: 0 },
  });
  fs.writeFileSync(path.join(cwd, 'tiny.kaf.yaml'), `${text}matrix: {seed: [0, 1]}\n`);
  const second = await kafscope(['sweep', 'tiny.kaf.yaml', '--json'], { cwd });
  const told = jsonLines(second.output).filter(({ type }) => type === 'cell');
  expect(new Set(told.map(({ name }) => name))).toEqual(new Set(['seed 1']));
  const status = await kafscope(['sweep', 'tiny', '--status'], { cwd });
  expect(status.output).toMatch(
    /^tiny · resting · 2 finished\nseed 0 · finished · clean .* %\nseed 1 · finished · clean .* %\n$/,
  );
  const report = await kafscope(['report', 'tiny.kaf.yaml', '--format', 'csv'], { cwd });
  expect(report.output.split('\n').map((line) => line.split(',')[0])).toEqual(['cell', 'seed 0', 'seed 1', '']);
});

it('attacks test images in parts, which make image by image the log of an attack that is not cut', async () => {
  const evaluation = 'evaluation: [{ attack: pgd, steps: 3, restarts: 2, samples: 8, batchSize: 2, keep: 2 }]\n';
  const recordsOf = async (matrix: string, cell: string) => {
    const cwd = project(matrix);
    const { code, output } = await kafscope(['sweep', 'tiny.kaf.yaml', '--json'], { cwd });
    expect(code).toBe(0);
    const told = jsonLines(output).findLast(({ type, name }) => type === 'cell' && name === cell)!;
    const run = path.join(cwd, '.kafscope/runs', String(told['runId']));
    const report = await kafscope(['report', 'tiny.kaf.yaml', '--format', 'csv'], { cwd });
    expect(report.output.trim().split('\n')).toHaveLength(2);
    return { records: readRows(run).map(({ record }) => record), told };
  };
  const cut = await recordsOf(`${evaluation}matrix: {seed: [0]}\nparts: 3\n`, 'seed 0');
  const whole = await recordsOf(`${evaluation}matrix: {seed: [0]}\n`, 'seed 0');
  expect(cut.records).toEqual(whole.records);
  expect(cut.told['robustAccuracy']).toBe(whole.told['robustAccuracy']);
});

it('keeps checkpoints when it is interrupted, ends with 130, and goes on from there', async () => {
  const cwd = project('matrix: {seed: [0]}\n');
  const args = ['sweep', 'tiny.kaf.yaml', '--json', '--set', 'training.epochs=400'];
  const started = startKafscope(args, { cwd });
  await started.untilLine(/"status":"training"/);
  started.process.kill('SIGINT');
  const { code, output } = await started.ended;
  expect(code).toBe(130);
  const cell = jsonLines(output).findLast(({ type }) => type === 'cell')!;
  expect(cell['status']).toBe('interrupted');
  const run = path.join(cwd, '.kafscope/runs', String(cell['runId']));
  expect(fs.readdirSync(path.join(run, 'checkpoints'))).toContain(`step-${String(cell['step'])}.safetensors`);
  const again = startKafscope(args, { cwd });
  await again.untilLine(/"status":"training"/);
  again.process.kill('SIGINT');
  await again.ended;
  expect(fs.readdirSync(path.join(cwd, '.kafscope/runs')).sort()).toEqual([String(cell['runId']), 'sweeps'].sort());
  expect(fs.existsSync(path.join(run, 'log-1'))).toBe(true);
});

it('tells a mistake by its place and its cell, and ends with 2', async () => {
  const cwd = project('matrix: {training.batchSize: [16, 64]}\n');
  const { code, errors } = await kafscope(['sweep', 'tiny.kaf.yaml'], { cwd });
  expect(code).toBe(2);
  expect(errors).toMatch(/^tiny\.kaf\.yaml:8:35: training\.batchSize: .* got 64 in the cell batchSize 64 — /m);
  const ended = await kafscope(['sweep', 'tiny.kaf.yaml', '--stop'], { cwd });
  expect([ended.code, ended.errors]).toEqual([2, expect.stringContaining('There is no sweep of tiny.kaf.yaml')]);
});
