// Entry of `dist/runtimeTrial.cjs <runtime>`, forked by run/runtime/runtimeTrial.ts: opens the runtime, tests it, sends the result.
import type { RuntimeName } from './protocol/plan.ts';
import { ignoreDebuggerSignal } from './run/processSignals.ts';
import type { RuntimeTrial } from './run/runtime/runtimeTrial.ts';
import { openRuntime, UnsupportedRuntimeError, type Runtime } from './tensor/runtime.ts';
import { runSelfTest } from './trainer/selfTest.ts';

const runtime = process.argv[2] as RuntimeName;

ignoreDebuggerSignal();
void main();

async function main(): Promise<void> {
  process.send?.(await attempt(), undefined, undefined, () => {
    process.exit();
  });
}

async function attempt(): Promise<RuntimeTrial> {
  try {
    const options = { assetsFolder: __dirname };
    let opened: Runtime | null = null;
    const { fault, stepMs } = await runSelfTest(
      () => openRuntime('cpu', options),
      async () => {
        opened = await openRuntime(runtime, options);
      },
    );
    const { device, gpus } = opened! as Runtime;
    return { runtime, device, fault, stepMs: fault === null ? stepMs : null, gpus };
  } catch (error) {
    return { runtime, device: '', fault: faultOf(error), stepMs: null, gpus: [] };
  }
}

function faultOf(error: unknown): string {
  if (error instanceof UnsupportedRuntimeError) return error.reason;
  return error instanceof Error ? error.message : String(error);
}
