// What the real server needs of experiments, checkpoints and devices.
import os from 'node:os';
import { compileExperiment } from '../experiment/compileExperiment.ts';
import { describePlan } from '../experiment/describePlan.ts';
import { inspectCheckpoint } from '../run/checkpointContents.ts';
import { listDevices } from '../tensor/runtime.ts';
import type { Services } from './requests.ts';

export function makeServices({ assetsFolder }: { assetsFolder: string }): Services {
  return {
    compile: (text, options) => compileExperiment(text, { ...options, homeFolder: os.homedir() }),
    describe: describePlan,
    inspect: inspectCheckpoint,
    listDevices: () => listDevices({ assetsFolder }),
  };
}
