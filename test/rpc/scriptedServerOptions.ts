// What a server with scripted trainers is made of. An experiment's text is the script's name, so that no compiler is needed.
import os from 'node:os';
import path from 'node:path';
import type { Plan } from '../../server/protocol/plan.ts';
import type { ServerOptions } from '../../server/rpc/server.ts';
import { BadDatasetError } from '../../server/run/lookProcess.ts';
import { inspectCheckpoint } from '../../server/run/checkpointContents.ts';
import { compareCheckpoints } from '../../server/run/checkpointDifference.ts';
import { readKernel } from '../../server/run/kernelPictures.ts';
import { SeriesDesk } from '../../server/run/series/seriesDesk.ts';
import { scriptedPlan } from '../run/scriptedTrainer.ts';
import type { Script } from '../run/scriptedTrainer.ts';

function compiled(plans: readonly Plan[]) {
  const cells = plans.map((plan) => ({ name: `seed ${plan.seed}`, values: { seed: String(plan.seed) }, plan }));
  return { name: 'scripted', cells, plans, issues: [] };
}

export function scriptedServerOptions(runsFolder: string): ServerOptions {
  return {
    runsFolder,
    version: '0.0.0-test',
    trainerFile: path.join(import.meta.dirname, '../run/scriptedTrainerMain.ts'),
    idleMs: Infinity,
    log: () => {},
    services: {
      compile: (text) =>
        Promise.resolve(
          text === 'bad'
            ? {
                ...{ name: text, cells: [], plans: [] },
                issues: [{ path: 'a', range, severity: 'error', expected: 'b', got: 'c', remedy: 'Write b.' }],
              }
            : compiled(text.split(' ').map((script, seed) => scriptedPlan(script as Script, { seed }))),
        ),
      describe: (plan) => plan.name,
      settings: ({ seed }) => ({ seed }),
      checkpoints: {
        inspect: ([file]) => inspectCheckpoint(file),
        compare: (files) => compareCheckpoints(...files),
        kernel: (args) => Promise.resolve(readKernel(...args)),
      },
      // Beside the runs, which the test takes away; in the process itself, for sources need no bundle there.
      series: new SeriesDesk(runsFolder === '' ? path.join(os.tmpdir(), 'kafscope-no-runs') : `${runsFolder}/.series`),
      look: () => Promise.reject(new BadDatasetError('There is no data set in a test.')),
      listDevices: () =>
        Promise.resolve({
          devices: [
            { runtime: 'cpu', isAvailable: true, device: 'scripted', reason: 'For tests.', stepMs: null, gpus: [] },
          ],
          chosen: 'cpu',
        }),
    },
  };
}

const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } };
