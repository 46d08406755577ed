// `kafscope export` against the rows of the runs.
import fs from 'node:fs';
import os from 'node:os';
import { expect, it } from 'vitest';
import { exportCommand, tagPattern, type ExportCommand } from '../../server/terminal/exportCommand.ts';
import { Terminal } from '../../server/terminal/terminal.ts';
import { makeLongRun } from '../bench/longRun.ts';
import { readRows, temporaryFolder, trainScripted } from '../run/scriptedRun.ts';
import { scriptedPlan } from '../run/scriptedTrainer.ts';

function exported(command: ExportCommand): string[] {
  const written: string[] = [];
  const output = { write: (text: string) => written.push(text) };
  expect(exportCommand(command, new Terminal({ isJson: false, output, errors: output }))).toBe(0);
  return written.join('').trim().split('\n');
}

it('writes every value of every run in CSV, each once, as it was recorded', () => {
  const made = makeLongRun(temporaryFolder(), { nSteps: 5000, nTensors: 3, normsEvery: 1000 });
  const other = makeLongRun(temporaryFolder(), { nSteps: 2, nTensors: 1, normsEvery: 9 });
  const [head, ...lines] = exported({
    folders: [made.folder, other.folder],
    form: 'csv',
    tags: /^(loss|weights\/layer0\.kernel|test\/accuracy)$/,
  });
  expect(head).toBe('run,tag,step,timeMs,value');
  const rows = readRows(made.folder);
  const expected = [
    ...rows.flatMap(({ timeMs, record }) =>
      record.type === 'step' ? [['loss', record.step, timeMs, record.loss]] : [],
    ),
    ...rows.flatMap(({ timeMs, record }) =>
      record.type === 'test' ? [['test/accuracy', record.step, timeMs, record.accuracy]] : [],
    ),
    ...rows.flatMap(({ timeMs, record }) =>
      record.type === 'norms' ? [['weights/layer0.kernel', record.step, timeMs, record.weights[0]!]] : [],
    ),
  ].map((cells) => [made.id, ...cells].join(','));
  expect(lines.slice(0, -2)).toEqual(expected);
  expect(lines.slice(-2).every((text) => text.startsWith(`${other.id},loss,`))).toBe(true);
});

it('writes JSON, a value a line, in which what is not finite is a text, and leaves nothing behind', async () => {
  const run = await trainScripted(scriptedPlan('steps'));
  const left = () => fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith('kafscope-export-'));
  const before = left();
  const lines = exported({ folders: [run.folder], form: 'json', tags: /loss/ });
  const values = lines.map((text) => JSON.parse(text) as { tag: string; value: unknown });
  const losses = readRows(run.folder).flatMap(({ record }) => (record.type === 'step' ? [record.loss] : []));
  expect(values.filter(({ tag }) => tag === 'loss').map(({ value }) => value)).toEqual(
    losses.map((loss) => (Number.isFinite(loss) ? loss : String(loss))),
  );
  expect(values.some(({ value }) => value === 'NaN')).toBe(true);
  expect(left()).toEqual(before);
});

it('takes no pattern that is none', () => {
  expect(() => tagPattern('(')).toThrow('--tags ( is no regular expression');
  expect(tagPattern('^loss$').test('test/loss')).toBe(false);
});
