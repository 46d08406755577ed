// Entry of the process that runs tfjs-core's own specs over the backend `kafscope-wasm`; tfjsSpecs.test.ts bundles and starts it.
//   specsMain <relaxed|plain> <threads> <worthwhile|finest> <assets folder>     sends one message: what became of every spec
import jasmineRequire from 'jasmine-core/lib/jasmine-core/jasmine.js';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import { setTestEnvs } from '@tensorflow/tfjs-core/dist/jasmine_util.js';
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

  const opened = await openWasmBackend(assetsFolder, { build, threads, cuts });
  const jobs = watchJobs(opened.backend.threads);
  setTestEnvs([{ name: wasmBackendName, backendName: wasmBackendName, isDataSync: true }]);
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
  process.send({
    build: opened.build,
    threads: opened.backend.threads.count,
    specs,
    overallStatus,
    outsideSpecs,
    peakBytes: opened.backend.pool.peakBytes,
    jobs,
  });
}
