// Work that does not find its data: what the command line alone advises, beside the sentence that VS Code shows as well.
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../server/data/dataset.ts';
import type { Plan } from '../../server/protocol/plan.ts';
import { checkpointsFolder } from '../../server/run/runFolder.ts';
import { evaluateCommand } from '../../server/terminal/evaluateCommand.ts';
import { Terminal } from '../../server/terminal/terminal.ts';
import { trainCommand } from '../../server/terminal/trainCommand.ts';
import { createScriptedRun, startScriptedRun, temporaryFolder, trainScripted } from '../run/scriptedRun.ts';
import { openScriptedTrainer, scriptedPlan } from '../run/scriptedTrainer.ts';

const missing = '/nowhere/cifar';
const sentence = `There is no folder ${missing} with CIFAR-10. `;

function context() {
  const told: string[] = [];
  const events: { type: string; status?: string; message?: string | null }[] = [];
  const terminal = new Terminal({
    isJson: true,
    output: { write: (text) => events.push(JSON.parse(text) as (typeof events)[number]) },
    errors: { write: (text) => told.push(text.trimEnd()) },
  });
  const openTrainer = async (plan: Plan) => {
    const around = { assetsFolder: missing, cacheFolder: missing, signal: new AbortController().signal };
    const data = { name: 'cifar10', path: missing, trainSamples: 10, testSamples: 10 } as const;
    await openDataset(data, { ...around, onProgress: () => undefined });
    return openScriptedTrainer(plan);
  };
  return { told, events, context: { terminal, openTrainer, version: '0' } };
}

const nothing = { runtime: null, threads: null, data: null };
const attack = {
  attack: 'pgd',
  isResumed: false,
  settings: { epsilon: '8/255', stepSize: '2/255', steps: '2', restarts: '1', samples: '10', batchSize: '5' },
  ...nothing,
};

describe('work that does not find its data', () => {
  it('of a run is told the option that names another place, in words to type', async () => {
    const { folder } = createScriptedRun(scriptedPlan('steps'));
    const stopped = startScriptedRun(folder);
    stopped.control.stop();
    await stopped.ended;
    const { told, context: around } = context();
    const resumed = { file: null, set: [], ...nothing, runsFolder: temporaryFolder(), resume: folder };
    expect(await trainCommand(resumed, around)).toBe(1);
    expect(told).toHaveLength(2);
    expect(told[0]).toContain(sentence);
    expect(told[0]).not.toContain('--data');
    expect(told[1]).toBe(
      `If the data lies elsewhere now, name its place: kafscope train --resume ${folder} --data FOLDER`,
    );
  });

  it('of an attack on a run, or on a checkpoint of it, as well', async () => {
    const { folder, checkpoints } = await trainScripted(scriptedPlan('steps'));
    for (const target of [folder, path.join(checkpointsFolder(folder), checkpoints[0]!.file)]) {
      const { told, events, context: around } = context();
      expect(await evaluateCommand({ target, ...attack }, around)).toBe(1);
      expect(told).toHaveLength(2);
      expect(told[0]).toContain(sentence);
      expect(told[1]).toBe(`If the data lies elsewhere now, name its place: kafscope evaluate ${target} --data FOLDER`);
      expect(events.at(-1)).toMatchObject({ type: 'done', status: 'failed' });
      expect(events.at(-1)!.message).toContain(sentence);
    }
  });

  it('is told nothing of it where something else is wrong', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    const { told, context: around } = context();
    const openTrainer = () => Promise.reject(new Error('Out of memory.'));
    expect(await evaluateCommand({ target: folder, ...attack }, { ...around, openTrainer })).toBe(1);
    expect(told).toEqual(['Out of memory.']);
  });
});
