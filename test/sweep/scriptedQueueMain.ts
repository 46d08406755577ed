// Works on the sweep whose folder it is given, with real processes of scripted trainers, and tells its parent of each change: to be killed.
import { SweepQueue } from '../../server/sweep/sweepQueue.ts';
import { trainerFile } from './scriptedSweep.ts';

const queue = new SweepQueue(process.argv[2]!, {
  ...{ trainerFile, atOnce: 2, threads: 1 },
  log: () => {},
  onCell: ({ status }) => process.send?.(status),
});
process.send?.('begun');
await queue.ended;
process.exit();
