// What the real server needs of experiments, checkpoints and devices.
import os from 'node:os';
import { compileExperiment } from '../experiment/compileExperiment.ts';
import { describePlan } from '../experiment/describePlan.ts';
import { inspectCheckpoint } from '../run/checkpointContents.ts';
import { listRuntimes } from '../run/runtime/machineRuntimes.ts';
import type { Services } from './requests.ts';

export function makeServices({ assetsFolder, log }: { assetsFolder: string; log: (line: string) => void }): Services {
  return {
    compile: (text, options) => compileExperiment(text, { ...options, homeFolder: os.homedir() }),
    describe: describePlan,
    inspect: inspectCheckpoint,
    listDevices: ({ isAnew }) => listRuntimes({ assetsFolder, log, isAnew }),
  };
}
