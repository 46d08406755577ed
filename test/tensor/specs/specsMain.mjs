// Entry of the process that runs tfjs-core's own specs over a backend of ours; tfjsSpecs.test.ts bundles and starts it.
//   specsMain <relaxed|plain|torch> <threads> <worthwhile|finest> <assets folder>     sends one message: what became of every spec
import jasmineRequire from 'jasmine-core/lib/jasmine-core/jasmine.js';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import { setTestEnvs } from '@tensorflow/tfjs-core/dist/jasmine_util.js';
import { surroundings } from '../../../server/tensor/python/places.ts';
import { lookForTorch } from '../../../server/tensor/torch/findTorch.ts';
import { openTorchBackend } from '../../../server/tensor/torch/openTorchBackend.ts';
import { torchBackendName } from '../../../server/tensor/torch/torchBackend.ts';
import { openWasmBackend } from '../../../server/tensor/wasm/openWasmBackend.ts';
import { wasmBackendName } from '../../../server/tensor/wasm/wasmBackend.ts';
import { watchJobs } from '../wasm/watchJobs.ts';

void main(process.argv[2], Number(process.argv[3]), ...process.argv.slice(4));

async function main(build, threads, cuts, assetsFolder) {
  const jasmine = jasmineRequire.core(jasmineRequire);
  const env = jasmine.getEnv();
  // Specs take describe, it and expect from the global scope.
  Object.assign(globalThis, jasmineRequire.interface(jasmine, env));
  // A guard against hanging alone, in place of the 5 s that a spec has by default.
  jasmine.DEFAULT_TIMEOUT_INTERVAL = 1_800_000;

  const opened = await (build === 'torch' ? openTorch : openWasm)(assetsFolder, { build, threads, cuts });
  setTestEnvs([{ name: opened.name, backendName: opened.name, isDataSync: true }]);
  // Specs are declared as they are loaded, for the environments that are set by then.
  await import('@tensorflow/tfjs-core/dist/tests.js');

  const specs = [];
  env.addReporter({
    specDone: ({ fullName, status, failedExpectations }) => {
      specs.push({ name: fullName, status, messages: failedExpectations.map(({ message }) => message) });
    },
  });
  env.configure({ random: false });
  const { overallStatus, failedExpectations } = await env.execute();
  const outsideSpecs = failedExpectations.map(({ message }) => message);
  process.send({ build, specs, overallStatus, outsideSpecs, ...opened.figures() });
}

async function openWasm(assetsFolder, options) {
  const { backend } = await openWasmBackend(assetsFolder, options);
  const jobs = watchJobs(backend.threads);
  const figures = () => ({ threads: backend.threads.count, peakBytes: backend.pool.peakBytes, jobs });
  return { name: wasmBackendName, figures };
}

async function openTorch(assetsFolder, { threads }) {
  const { library } = lookForTorch(surroundings(assetsFolder));
  const device = process.env.KAFSCOPE_TORCH_DEVICE ?? 'cpu';
  const { backend } = await openTorchBackend(assetsFolder, library, { threads, device });
  return { name: torchBackendName, figures: () => ({ threads, peakBytes: backend.peakBytes, jobs: {} }) };
}
