// How long the server has patience with a client, on a clock that the test turns: only what looks at clients by intervals stands still.
import { once } from 'node:events';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { temporaryFolder } from '../run/scriptedRun.ts';
import { scriptedServerOptions } from './scriptedServerOptions.ts';
import { startScriptedServer } from './scriptedServer.ts';
import { TestClient } from './testClient.ts';

async function serve(answerBytes = 0) {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const lines: string[] = [];
  let wake = Promise.withResolvers<void>();
  const { services } = scriptedServerOptions('');
  const device = {
    runtime: 'cpu',
    isAvailable: true,
    device: '',
    reason: 'x'.repeat(answerBytes),
    stepMs: null,
    gpus: [],
  } as const;
  const { lock } = await startScriptedServer(temporaryFolder(), {
    log: (line) => lines.push(line),
    services: {
      ...services,
      listDevices: () => {
        wake.resolve();
        wake = Promise.withResolvers();
        return Promise.resolve({ devices: [device], chosen: 'cpu' });
      },
    },
  });
  return { lock, nextQuestion: () => wake.promise, letGo: () => lines.filter((line) => line.includes('is let go')) };
}

describe('a client', () => {
  it('that has shown the token may take a minute to greet, and one that has greeted all the time', async () => {
    const { lock, letGo } = await serve();
    const late = await TestClient.connect(lock, { greets: false });
    const client = await TestClient.connect(lock);
    const closed = once(late.socket, 'close');
    vi.advanceTimersByTime(59_999);
    expect(letGo()).toEqual([]);
    vi.advanceTimersByTime(1);
    await closed;
    expect(letGo()).toEqual(['a client is let go: it did not greet']);
    vi.advanceTimersByTime(3_600_000);
    expect((await client.request('run/list', {})).runs).toEqual([]);
  });

  it('that takes nothing for a minute of what waits for it is let go, and not one that takes it', async () => {
    const { lock, nextQuestion, letGo } = await serve(20_000_000);
    const client = await TestClient.connect(lock);
    const watcher = await TestClient.connect(lock);
    client.socket.on('error', () => {});
    for (const isTaken of [true, false]) {
      client.socket.pause();
      const asked = nextQuestion();
      const answered = client.request('device/list', {}).catch(() => 'gone');
      await asked;
      // What was asked later has been answered: so has this, into a socket that is full.
      await watcher.request('run/list', {});
      vi.advanceTimersByTime(55_000);
      expect(letGo()).toEqual([]);
      if (isTaken) {
        client.socket.resume();
        await answered;
      }
      vi.advanceTimersByTime(5000);
      expect(letGo()).toEqual(isTaken ? [] : ['a client is let go: it took nothing for a minute']);
    }
  });
});
