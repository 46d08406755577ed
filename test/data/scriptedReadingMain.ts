// A process that reads by a thread, and has nothing else to do.
import { BatchThread } from '../../server/data/batchThread.ts';
import { memoryRows } from '../../server/data/rows.ts';

const split = new BatchThread(process.argv[2]!).split(memoryRows(Float32Array.of(10, 20), new Uint16Array(2), 1));
const first = await split.read(Uint32Array.of(1));
const [second, third] = await Promise.all([split.read(Uint32Array.of(0)), split.read(Uint32Array.of(1))]);
console.log([first, second, third].map(({ values }) => values[0]).join());
// The thread is still there.
process.once('beforeExit', () => {
  console.log('nothing is left to do');
});
