// What the extension makes of the installer's words: those of the built command line with a made-up pip, and of a made-up installer.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { pythonWithPip, runInstaller, type InstallStep } from '../../../extension/commands/installProcess.ts';
import type { CliCommand } from '../../../extension/commands/cliProcess.ts';
import { temporaryFolder } from '../../run/scriptedRun.ts';
import { fakePip, type FakePipOptions } from '../../tensor/tensorflow/wheels.ts';
import { assetsFolder } from '../../tensor/wasm/builds.ts';

function commandLine(options: FakePipOptions) {
  const root = temporaryFolder();
  const { python } = fakePip(root, {}, options);
  const folder = path.join(root, 'data', 'tensorflow');
  const install = ['install', 'tensorflow', '--json', '--python', python, '--into', folder];
  const command = { file: process.execPath, args: [path.join(assetsFolder, 'cli.cjs'), ...install], env: process.env };
  return { command, folder };
}

/** Says these events, then ends with the code. */
function madeUp(events: readonly object[], code: number): CliCommand {
  const script = `for (const event of ${JSON.stringify(events)}) console.log(JSON.stringify(event)); process.exitCode = ${code};`;
  return { file: process.execPath, args: ['-e', script], env: process.env };
}

const unaborted = () => new AbortController().signal;

describe('the installer of TensorFlow', () => {
  test('becomes steps that only go forward, and what is installed', async () => {
    const progress = (stage: string, doneBytes: number) => ({ type: 'progress', stage, doneBytes, totalBytes: 200e6 });
    const installed = { name: 'tensorflow-cpu', version: '2.21.0', device: 'TensorFlow 2.21.0 · CPU' };
    const events = [
      { type: 'install', name: 'tensorflow-cpu', version: '2.21.0' },
      ...[progress('download', 50e6), progress('check', 200e6), progress('check', 0), progress('unpack', 200e6)],
      { type: 'done', fault: null, ...installed },
    ];
    const steps: InstallStep[] = [];
    const ended = await runInstaller(madeUp(events, 0), { signal: unaborted(), onStep: (step) => steps.push(step) });
    expect(ended).toMatchObject(installed);
    expect(steps[0]?.message).toBe('tensorflow-cpu 2.21.0, downloading: 50 of 200 MB');
    expect(steps.map(({ share }) => Number(share.toFixed(4)))).toEqual([0.1875, 0.8, 0.8, 1]);
  });

  test('takes the first Python whose pip answers, and the usual one where none does', async () => {
    const bare = fakePip(temporaryFolder(), {}, { version: 'exit 1' }).python;
    const { python } = fakePip(temporaryFolder(), {});
    const usual = { other: 'python3', signal: unaborted() };
    expect(await pythonWithPip([bare, '/nowhere/python3', python], usual)).toBe(python);
    expect(await pythonWithPip([bare, '/nowhere/python3'], usual)).toBe('python3');
  });

  test('passes over a Python that hangs, after a minute, and asks no more once it is cancelled', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const folder = temporaryFolder();
    const asked = (name: string) => path.join(folder, name);
    const hanging = (name: string) =>
      fakePip(temporaryFolder(), {}, { version: `touch '${asked(name)}'; exec tail -f /dev/null` }).python;
    const untilAsked = async (name: string) => {
      while (!fs.existsSync(asked(name))) await new Promise((resolve) => setImmediate(resolve));
    };
    const abort = new AbortController();
    const search = { other: 'python3', signal: abort.signal };
    const { python } = fakePip(temporaryFolder(), {});
    let isFound = false;
    const found = pythonWithPip([hanging('first'), python], search).finally(() => (isFound = true));
    await untilAsked('first');
    vi.advanceTimersByTime(59_999);
    expect(isFound).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await found).toBe(python);
    const cancelled = pythonWithPip([hanging('second'), hanging('third')], search);
    await untilAsked('second');
    abort.abort();
    expect(await cancelled).toBe('python3');
    expect(fs.existsSync(asked('third'))).toBe(false);
  });

  test('that fails says why, in its own words', async () => {
    const { command, folder } = commandLine({ version: 'echo "No module named pip" >&2; exit 1' });
    const failing = runInstaller(command, { signal: unaborted(), onStep: () => undefined });
    await expect(failing).rejects.toThrow(/^\S+python3 has no pip \(No module named pip\)\. On Debian and Ubuntu: /);
    expect(fs.existsSync(folder)).toBe(false);
    const silent = runInstaller(madeUp([], 7), { signal: unaborted(), onStep: () => undefined });
    await expect(silent).rejects.toThrow('the installer ended with code 7');
  });

  test('that is cancelled in the middle of the download leaves nothing', async () => {
    const { command, folder } = commandLine({ download: 'echo half > "$dest"/half; exec tail -f /dev/null' });
    const abort = new AbortController();
    const seen: string[] = [];
    const ended = await runInstaller(command, {
      signal: abort.signal,
      onStep: ({ message }) => {
        seen.push(message);
        abort.abort();
      },
    });
    expect(ended).toBeNull();
    expect(seen[0]).toMatch(/^tensorflow\S* \d+\.\d+\.\d+, downloading: 0 of \d+ MB$/);
    expect(fs.readdirSync(path.dirname(folder))).toEqual([]);
  });
});
