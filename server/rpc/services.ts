// What the real server needs of experiments, checkpoints and devices.
import os from 'node:os';
import path from 'node:path';
import { compileInTurns } from '../experiment/compileExperiment.ts';
import { planSettings } from '../experiment/planSettings.ts';
import { describePlan } from '../experiment/describePlan.ts';
import { makeInspector } from '../run/inspectProcess.ts';
import { makeLooker } from '../run/lookProcess.ts';
import { userCacheFolder } from '../protocol/userData.ts';
import { SeriesThread } from '../run/series/seriesThread.ts';
import { listRuntimes } from '../run/runtime/machineRuntimes.ts';
import { takeTurns } from '../run/takeTurns.ts';
import type { Services } from './requests.ts';

export function makeServices({ assetsFolder, log }: { assetsFolder: string; log: (line: string) => void }): Services {
  // Of several at once each would have a step in the same turn.
  const takeTurn = takeTurns(1);
  const surroundings = { env: process.env, platform: process.platform, homeFolder: os.homedir() };
  return {
    series: new SeriesThread(path.join(assetsFolder, 'series.cjs'), path.join(userCacheFolder(surroundings), 'series')),
    compile: (text, options, signal) =>
      takeTurn(() => compileInTurns(text, { ...options, homeFolder: os.homedir() }, signal), signal),
    describe: describePlan,
    settings: planSettings,
    checkpoints: makeInspector(path.join(assetsFolder, 'inspect.cjs')),
    look: makeLooker({ entryFile: path.join(assetsFolder, 'look.cjs'), assetsFolder }),
    listDevices: ({ isAnew }) => listRuntimes({ assetsFolder, log, isAnew }),
  };
}
