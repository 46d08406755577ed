// Where locks lie that have no place in the runs folder, for the test at hand.
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../run/scriptedRun.ts';

/** The folder of such locks. */
export function inDataFolder(): string {
  const folder = temporaryFolder();
  const before = process.env['XDG_DATA_HOME'];
  process.env['XDG_DATA_HOME'] = folder;
  onTestFinished(() => {
    if (before === undefined) delete process.env['XDG_DATA_HOME'];
    else process.env['XDG_DATA_HOME'] = before;
  });
  return path.join(folder, 'kafscope/servers');
}
