// A worker thread of the wasm runtime: links the kernels to the shared memory, says so, and runs calls until it is ended.
import { parentPort, workerData } from 'node:worker_threads';
import { kernelNames, linkKernels } from '../loadKernels.ts';
import { serveJobs } from './job.ts';
import type { ThreadData } from './threadPool.ts';

const { module, memory, board, index } = workerData as ThreadData;
const kernels = linkKernels(module, memory);
parentPort!.postMessage('ready');
serveJobs(board, index, (kernel, call) => kernels[kernelNames[kernel]!](...call));
