// `kafscope report` on runs whose evaluations are known.
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import type { EvaluationPlan } from '../../server/protocol/evaluationPlan.ts';
import { runPlan } from '../../server/run/runPlan.ts';
import { systemClock } from '../../server/run/runRecorder.ts';
import { RunControl } from '../../server/run/runControl.ts';
import { reportCommand } from '../../server/terminal/reportCommand.ts';
import { Terminal } from '../../server/terminal/terminal.ts';
import { findLearningRate } from '../../server/trainer/findLearningRate.ts';
import { evaluate } from '../../server/trainer/evaluate.ts';
import { train } from '../../server/trainer/train.ts';
import { attackPlan } from '../attack/plans.ts';
import { createScriptedRun, temporaryFolder } from '../run/scriptedRun.ts';
import { openCpu, tinyDataset, tinyPlan } from '../trainer/tinyPlan.ts';

it('tables both protocols and the audit of each run, and tests two runs on the same images', async () => {
  const given = { steps: 2, restarts: 1, samples: 4, protocol: 'thesis' } as const;
  const strong = attackPlan('apgd-t', { steps: 2, targets: 2, samples: 4 });
  const evaluation = [attackPlan('pgd', given), strong] as EvaluationPlan[];
  const folder = temporaryFolder();
  const folders: string[] = [];
  for (const seed of [0, 1]) {
    const run = createScriptedRun({ ...tinyPlan, seed, evaluation }, folder);
    folders.push(run.folder);
    await runPlan(
      { type: 'train', incarnation: 0 },
      {
        ...{ folder: run.folder, clock: systemClock, control: new RunControl() },
        ...{ log: () => undefined, onChange: () => undefined, startHeartbeat: () => () => undefined },
        openTrainer: async () => {
          await openCpu();
          const dataset = tinyDataset({ classes: ['black', 'dark', 'bright', 'white'] });
          return {
            ...{ device: 'cpu', memory: () => ({ usedBytes: 0, peakBytes: 0 }) },
            train: (plan, options) => train(plan, dataset, options),
            findLearningRate: (plan, options) => findLearningRate(plan, dataset, options),
            evaluate: (plan, asked, options) => evaluate(plan, asked, dataset, options),
          };
        },
      },
    );
  }
  const output = new PassThrough();
  const terminal = new Terminal({ isJson: false, output, errors: new PassThrough() } as never);
  expect(reportCommand(folders, terminal)).toBe(0);
  const lines = String(output.read()).trim().split('\n');
  expect(lines[0]).toContain('| worst case | 95 % | thesis | audit |');
  expect(lines[2]).toMatch(/^\| tiny · seed 0 \| PGD-2-1 \| linf 0\.03137 \| 4 \| [\d.]+ % \| [\d.]+ % \|/);
  expect(lines[4]).toContain('tiny · seed 1');
  const ofFirst = lines.find((line) => line.startsWith('tiny · seed 0, KAF 5: '));
  expect(ofFirst).toMatch(/: APGD-T-2-2 leaves \d of 4 images standing, .* PGD-2-1/);
  expect(lines.at(-2)).toMatch(
    /^PGD-2-1, 4 images: \d stand under tiny · seed 0 alone, \d under tiny · seed 1 alone; McNemar p = [\d.]+$/,
  );
});
