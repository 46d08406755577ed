// SIGUSR1 and SIGUSR2, which schedulers of clusters send, at every process of ours.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { noDebugger } from '../../server/run/processSignals.ts';

const server = path.join(import.meta.dirname, '../../server');

/** What a process that gets SIGUSR1 says; it ends when its debugger is open or a listener has heard the signal. */
async function atSignal(begin: string): Promise<string> {
  const text = `
    import inspector from 'node:inspector';
    import { ignoreDebuggerSignal } from ${JSON.stringify(path.join(server, 'run/processSignals.ts'))};
    ${begin}
    const heard = process.listenerCount('SIGUSR1') > 0;
    if (heard) process.on('SIGUSR1', () => { console.log(inspector.url() ?? 'closed'); process.exit(); });
    else setInterval(() => { if (inspector.url()) { console.log('open'); process.exit(); } }, 1);
    process.kill(process.pid, 'SIGUSR1');
    setInterval(() => {}, 1000);`;
  // A free port: another process may have a debugger open at the usual one.
  const args = ['--inspect-port=0', '--input-type=module', '--eval', text];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (output += part));
  await once(child, 'close');
  return output.trim();
}

describe('SIGUSR1', () => {
  it("opens Node's debugger where nothing is done about it, and nothing where it is", async () => {
    expect(await atSignal('')).toBe('open');
    expect(await atSignal('ignoreDebuggerSignal();')).toBe('closed');
  });

  it('is shut out while the code of a process that we start still loads, where its Node knows how', () => {
    expect(noDebugger.length > 0).toBe(process.allowedNodeEnvironmentFlags.has('--disable-sigusr1'));
    expect(spawnSync(process.execPath, [...noDebugger, '--eval', '0']).status).toBe(0);
  });

  it('is ignored by every process that is started, before it does anything', () => {
    const entries = fs.readdirSync(server).filter((file) => /^(cli|main|.*Main)\.ts$/.test(file));
    const texts = entries.map((entry) => [entry, fs.readFileSync(path.join(server, entry), 'utf8')] as const);
    // A thread gets no signals: its process does.
    const processes = texts.filter(([, text]) => !text.includes("from 'node:worker_threads'"));
    expect(processes.length).toBeGreaterThanOrEqual(6);
    for (const [entry, text] of processes) {
      const calls = text.split('\n').filter((line) => /^(void |process\.|[a-z]\w*\().*;?$/.test(line));
      expect(calls[0], entry).toBe('ignoreDebuggerSignal();');
    }
  });
});
