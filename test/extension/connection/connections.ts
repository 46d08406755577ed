// Connections to a scripted server, ended with the test.
import { onTestFinished, vi } from 'vitest';
import type { ServerConnectionOptions } from '../../../extension/connection/serverConnection.ts';
import { ServerConnection } from '../../../extension/connection/serverConnection.ts';
import type { ConnectionState } from '../../../server/protocol/panel.ts';
import type { FakeServer } from './fakeServer.ts';
import { startFakeServer } from './fakeServer.ts';

export async function fakeServer(options?: Parameters<typeof startFakeServer>[0]): Promise<FakeServer> {
  const server = await startFakeServer(options);
  let isOpen = true;
  const { close } = server;
  server.close = async () => {
    if (isOpen) await close();
    isOpen = false;
  };
  onTestFinished(() => server.close());
  return server;
}

/** The longest that a timer takes. */
export const never = 2 ** 31 - 1;

/** The test turns the clock of what waits; sockets go on by themselves. */
export function turnTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

export function slowAfter(slowMs: number) {
  const told: { sentence: string; isShown: boolean; cancel: () => void }[] = [];
  const tellSlow = (sentence: string, cancel: () => void) => {
    const one = { sentence, isShown: true, cancel };
    told.push(one);
    return () => {
      one.isShown = false;
    };
  };
  return { told, patience: { slowMs, tellSlow } };
}

export function connectionTo(server: FakeServer, options: Partial<ServerConnectionOptions> = {}): ServerConnection {
  const connection = new ServerConnection({
    client: 'test',
    readLock: () => Promise.resolve(server.lock),
    startServer: () => Promise.reject(new Error('there is a server already')),
    endServer: () => Promise.resolve(),
    retryDelaysMs: [],
    handshakeTimeoutMs: never,
    patience: slowAfter(never).patience,
    log: () => undefined,
    ...options,
  });
  onTestFinished(() => {
    connection.dispose();
  });
  return connection;
}

export function nextState(
  connection: ServerConnection,
  status: ConnectionState['status'],
  message?: string,
): Promise<void> {
  return new Promise((resolve) => {
    const listener = connection.onDidChangeState((state) => {
      if (state.status !== status || (message !== undefined && !('message' in state && state.message === message)))
        return;
      listener.dispose();
      resolve();
    });
  });
}
