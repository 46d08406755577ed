// `kafscope work` with the real trainer on a tiny data set, where a plan's seed says what becomes of the cell at its first start: those
// that a test cuts off do five steps and no more until they are told to end, or until another process has begun work on their run.
import fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { listRunFolders } from '../../../server/run/runFolder.ts';
import { newestLog } from '../../../server/run/logFile.ts';
import { runsFolderOf } from '../../../server/sweep/sweepFolder.ts';
import { Terminal } from '../../../server/terminal/terminal.ts';
import { workCommand } from '../../../server/terminal/workCommand.ts';
import type { TrainerEvent } from '../../../server/trainer/train.ts';
import type { OpenTrainer } from '../../../server/run/trainer.ts';
import { heldSeeds, missingSeed, openTinyTrainer } from './tinySweep.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { of: { type: 'string' }, job: { type: 'string' }, cell: { type: 'string' } },
});
const folder = fs.realpathSync(positionals[1]!);
const isFirstStart = process.env['SLURM_RESTART_COUNT'] === undefined;

const openTrainer: OpenTrainer = async (plan) => {
  if (plan.seed === missingSeed) throw new Error('There is no data. Download it first.');
  const trainer = await openTinyTrainer(plan);
  if (!isFirstStart || !heldSeeds.includes(plan.seed)) return trainer;
  return { ...trainer, train: (trained, options) => held(trainer.train(trained, options), plan.seed, options.signal) };
};

async function* held(
  events: AsyncGenerator<TrainerEvent>,
  seed: number,
  signal: AbortSignal,
): AsyncGenerator<TrainerEvent> {
  for await (const event of events) {
    yield event;
    if (event.type !== 'record' || event.record.type !== 'step' || event.record.step !== 5) continue;
    const run = listRunFolders(runsFolderOf(folder)).find((one) => one.endsWith(`-s${String(seed)}`))!;
    while (!signal.aborted && newestLog(run) === 0) await delay(20);
  }
}

const terminal = new Terminal({ isJson: false, output: process.stdout, errors: process.stderr });
process.exitCode = await workCommand(
  {
    ...{ target: folder, runsFolder: path.dirname(folder), cell: values.cell!, of: values.of!, job: values.job! },
    threads: null,
  },
  { terminal, openTrainer, version: '0.0.0-test' },
);
