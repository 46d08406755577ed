// A run that goes on from a checkpoint of another.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { forkRun } from '../../server/run/forkRun.ts';
import { checkpointsFolder, listRunFolders } from '../../server/run/runFolder.ts';
import { glance } from '../../server/run/runGlance.ts';
import { filesOf, goOn, readRows, startScriptedRun, trainScripted } from './scriptedRun.ts';
import { scriptedPlan } from './scriptedTrainer.ts';

describe('a fork', () => {
  it('is a run of its own, cut off at the checkpoint, that ends as the other did; the other is only read', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    const before = filesOf(folder);
    const made = forkRun(folder, 'step-4.safetensors', 1);
    expect(glance(made.folder).summary).toMatchObject({
      ...{ status: 'interrupted', step: 4, steps: 12, cleanAccuracy: 4 / 5 },
      checkpoints: [{ file: 'step-4.safetensors', step: 4, epoch: 1 }],
      message: `Goes on from step 4 of ${path.basename(folder)}.`,
    });
    expect(await startScriptedRun(made.folder, goOn(made.folder)).ended).toMatchObject({
      status: 'finished',
      step: 12,
    });
    const records = (run: string) => readRows(run).map(({ record }) => record);
    expect(records(made.folder)).toEqual(records(folder));
    for (const name of ['step-4.safetensors', 'step-12.safetensors']) {
      const tensorsOf = (run: string) => fs.readFileSync(path.join(checkpointsFolder(run), name)).subarray(-80);
      expect(tensorsOf(made.folder)).toEqual(tensorsOf(folder));
    }
    expect(filesOf(folder)).toEqual(before);
  });

  it('is not made from a checkpoint that is damaged, or whose rows are gone', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    const file = path.join(checkpointsFolder(folder), 'step-4.safetensors');
    const bytes = fs.readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    fs.copyFileSync(
      path.join(checkpointsFolder(folder), 'step-8.safetensors'),
      path.join(checkpointsFolder(folder), 'step-9.safetensors'),
    );
    fs.writeFileSync(file, bytes);
    expect(() => forkRun(folder, 'step-4.safetensors', 1)).toThrow(/is damaged/);
    expect(() => forkRun(folder, 'step-9.safetensors', 1)).toThrow(/is not in the log/);
    expect(listRunFolders(path.dirname(folder))).toEqual([folder]);
  });
});
