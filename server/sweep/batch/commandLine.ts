// How a job starts this Kafscope's command line: by the Node that runs here, which the cluster's nodes see on the disk that they share.
import path from 'node:path';
import { noDebugger } from '../../run/processSignals.ts';

/** Program and first arguments. @param assetsFolder holds `cli.cjs` */
export function commandLine(assetsFolder: string): string[] {
  const asNode = process.versions['electron'] === undefined ? [] : ['/usr/bin/env', 'ELECTRON_RUN_AS_NODE=1'];
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', ...noDebugger];
  return [...asNode, ...node, path.join(assetsFolder, 'cli.cjs')];
}
