// What the real server needs of experiments, checkpoints and devices.
import os from 'node:os';
import path from 'node:path';
import { compileExperiment } from '../experiment/compileExperiment.ts';
import { describePlan } from '../experiment/describePlan.ts';
import { makeInspector } from '../run/inspectProcess.ts';
import { makeLooker } from '../run/lookProcess.ts';
import { listRuntimes } from '../run/runtime/machineRuntimes.ts';
import type { Services } from './requests.ts';

export function makeServices({ assetsFolder, log }: { assetsFolder: string; log: (line: string) => void }): Services {
  return {
    compile: (text, options) => compileExperiment(text, { ...options, homeFolder: os.homedir() }),
    describe: describePlan,
    inspect: makeInspector(path.join(assetsFolder, 'inspect.cjs')),
    look: makeLooker({ entryFile: path.join(assetsFolder, 'look.cjs'), assetsFolder }),
    listDevices: ({ isAnew }) => listRuntimes({ assetsFolder, log, isAnew }),
  };
}
