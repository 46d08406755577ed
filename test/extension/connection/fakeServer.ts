// A server for tests of the connection: the real transport, answers given by the test, rows kept as a log.
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { createMessageConnection } from 'vscode-jsonrpc/node';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { WebSocketMessageReader, WebSocketMessageWriter } from '../../../extension/connection/webSocketTransport.ts';
import type { ServerLock } from '../../../extension/connection/serverLock.ts';
import type { RequestMethod, Requests } from '../../../server/protocol/messages.ts';
import { protocolVersion } from '../../../server/protocol/messages.ts';
import type { Row } from '../../../server/protocol/records.ts';

export type Answers = { [Method in RequestMethod]?: (params: Requests[Method]['params']) => unknown };

export interface FakeServer {
  readonly lock: ServerLock;
  /** Of each handshake, in order. */
  readonly handshakes: IncomingHttpHeaders[];
  /** Every request, in order. */
  readonly requests: { method: string; params: unknown }[];
  readonly answers: Answers;
  notify(method: string, params: unknown): void;
  /** Sends bytes as they are. */
  sendRaw(bytes: Uint8Array): void;
  /** Ends the connections without a word, as a killed server would. */
  drop(): void;
  /** Resolves when so many requests of this method have arrived, now or before. */
  received(method: RequestMethod, times?: number): Promise<void>;
  close(): Promise<void>;
}

export async function startFakeServer(
  options: { token?: string; version?: number; answers?: Answers } = {},
): Promise<FakeServer> {
  const token = options.token ?? 'secret';
  const handshakes: IncomingHttpHeaders[] = [];
  const requests: { method: string; params: unknown }[] = [];
  const waiting: (() => void)[] = [];
  const sessions = new Map<WebSocket, MessageConnection>();
  const answers: Answers = {
    'server/hello': () => ({
      protocolVersion: options.version ?? protocolVersion,
      serverVersion: '9.9.9',
      runsFolder: '/runs',
      pid: process.pid,
    }),
    'run/subscribe': () => ({}),
    'run/unsubscribe': () => ({}),
    ...options.answers,
  };
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    verifyClient: ({ req }, done) => {
      handshakes.push(req.headers);
      done(req.headers.authorization === `Bearer ${token}`, 401);
    },
  });
  await once(server, 'listening');
  server.on('connection', (socket) => {
    const rpc = createMessageConnection(new WebSocketMessageReader(socket), new WebSocketMessageWriter(socket));
    sessions.set(socket, rpc);
    socket.on('close', () => {
      sessions.delete(socket);
      rpc.dispose();
    });
    rpc.onRequest((method, params) => {
      requests.push({ method, params });
      for (const check of waiting) check();
      const answer = answers[method as RequestMethod] as ((params: unknown) => unknown) | undefined;
      if (!answer) throw new Error(`no answer to ${method}`);
      return answer(params);
    });
    rpc.listen();
  });
  const { port } = server.address() as AddressInfo;
  return {
    lock: { pid: process.pid, port, token, version: '9.9.9', startedMs: 0 },
    handshakes,
    requests,
    answers,
    notify: (method, params) => {
      for (const rpc of sessions.values()) void rpc.sendNotification(method, params);
    },
    sendRaw: (bytes) => {
      for (const socket of sessions.keys()) socket.send(bytes);
    },
    drop: () => {
      for (const socket of sessions.keys()) socket.terminate();
    },
    received: (method, times = 1) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (requests.filter((request) => request.method === method).length >= times) resolve();
        };
        waiting.push(check);
        check();
      }),
    close: async () => {
      for (const socket of sessions.keys()) socket.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Rows `first` … `last` of some run. */
export function rowsFrom(first: number, last: number): Row[] {
  return Array.from({ length: last - first + 1 }, (_, index) => ({
    seq: first + index,
    timeMs: 0,
    record: { type: 'step', step: first + index, epoch: 1, loss: 1, accuracy: 0.5, learningRate: 0.1 },
  }));
}
