// What `kafscope train` says at its end.
import { expect, it } from 'vitest';
import type { EvaluationPlan } from '../../server/protocol/plan.ts';
import { Terminal } from '../../server/terminal/terminal.ts';
import { trainCommand } from '../../server/terminal/trainCommand.ts';
import { attackPlan } from '../attack/plans.ts';
import { createScriptedRun, temporaryFolder } from '../run/scriptedRun.ts';
import { openScriptedTrainer, scriptedEvaluation, scriptedPlan } from '../run/scriptedTrainer.ts';

async function endOf(evaluation: readonly EvaluationPlan[], { isJson }: { isJson: boolean }): Promise<string[]> {
  const { folder } = createScriptedRun(scriptedPlan('steps', { evaluation }));
  const written: string[] = [];
  const output = { write: (text: string) => written.push(text.trimEnd()) };
  const terminal = new Terminal({ isJson, output, errors: output });
  const resumed = { file: null, set: [], runtime: null, threads: null, data: null, resume: folder };
  const command = { ...resumed, runsFolder: temporaryFolder() };
  expect(await trainCommand(command, { terminal, openTrainer: openScriptedTrainer, version: '0' })).toBe(0);
  return written;
}

const fgsm = attackPlan('fgsm', { samples: 10, batchSize: 5 });

it('the end of a run names the attack that its plan ends with, not the last, with its interval and its images', async () => {
  const own = 'clean 92.3 % · PGD-2-1 8/255: ≤ 20.0 % (5.7 – 51.0) of 10 images';
  expect((await endOf([scriptedEvaluation, fgsm], { isJson: false })).at(-1)).toBe(own);
  expect((await endOf([], { isJson: false })).at(-1)).toMatch(/^finished at step 12 of 12/);
});

it('programs are given every figure, with its counts', async () => {
  const done: unknown = JSON.parse((await endOf([fgsm, scriptedEvaluation], { isJson: true })).at(-1)!);
  expect(done).toMatchObject({
    ...{ type: 'done', robustAccuracy: 0.2 },
    figures: [
      { plan: scriptedEvaluation, step: 12, samples: 10, standing: 2, clean: 9 },
      { plan: fgsm, step: 12, samples: 10, standing: 2, clean: 9 },
    ],
  });
});
