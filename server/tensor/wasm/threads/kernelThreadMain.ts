// A worker thread of the wasm runtime: links the kernels to the shared memory, says so, and runs calls until it is ended. Modules
// that came since are fetched when a call first needs one: this thread never returns to its event loop.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { KernelTable, type LaterModule } from '../kernelTable.ts';
import { linkKernels } from '../loadKernels.ts';
import { serveJobs } from './job.ts';
import type { ThreadData } from './threadPool.ts';

const { module, memory, board, index } = workerData as ThreadData;
const kernels = new KernelTable(linkKernels(module, memory), memory);
parentPort!.postMessage('ready');
serveJobs(board, index, (kernel, call) => {
  while (kernel >= kernels.size) {
    const later = receiveMessageOnPort(parentPort!) as { message: LaterModule } | undefined;
    if (!later) throw new Error(`a thread was not told of the kernel ${kernel}`);
    kernels.link(later.message);
  }
  kernels.run(kernel, call);
});
