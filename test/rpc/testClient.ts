// A client for tests: typed requests, and notifications that can be waited for.
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { CancellationToken, createMessageConnection } from 'vscode-jsonrpc/node';
import type { ResponseError } from 'vscode-jsonrpc/node';
import { WebSocket } from 'ws';
import type { RequestErrorData } from '../../server/protocol/errors.ts';
import { maxMessageBytes, protocolVersion } from '../../server/protocol/messages.ts';
import type { NotificationMethod, Notifications, RequestMethod, Requests } from '../../server/protocol/messages.ts';
import type { RunStatus, RunSummary } from '../../server/protocol/run.ts';
import type { Lock } from '../../server/rpc/lockFile.ts';
import { SocketReader, SocketWriter } from '../../server/rpc/socketTransport.ts';

type Heard = {
  [Method in NotificationMethod]: { method: Method; params: Notifications[Method] };
}[NotificationMethod];

export class TestClient {
  readonly socket: WebSocket;
  readonly heard: Heard[] = [];
  readonly #connection;
  #waiting: (() => void)[] = [];

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.#connection = createMessageConnection(new SocketReader(socket), new SocketWriter(socket));
    this.#connection.onNotification((method, params) => {
      this.heard.push({ method, params } as Heard);
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.#connection.listen();
  }

  /** Connects, and greets unless told otherwise. */
  static async connect(lock: Lock, options: { greets: boolean } = { greets: true }): Promise<TestClient> {
    const socket = openSocket(lock);
    await once(socket, 'open');
    const client = new TestClient(socket);
    if (options.greets) await client.request('server/hello', { protocolVersion, client: 'test' });
    return client;
  }

  request<Method extends RequestMethod>(
    method: Method,
    params: Requests[Method]['params'],
    token: CancellationToken = CancellationToken.None,
  ): Promise<Requests[Method]['result']> {
    return this.#connection.sendRequest(method, params, token);
  }

  /** Any request, also those that the protocol does not know; resolves with its error. */
  async failure(method: string, params: unknown): Promise<ResponseError<RequestErrorData>> {
    try {
      await this.#connection.sendRequest(method, params);
    } catch (error) {
      return error as ResponseError<RequestErrorData>;
    }
    throw new Error(`${method} should have failed`);
  }

  async until(isReached: () => boolean): Promise<void> {
    while (!isReached()) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  /** The first summary of the run in that status, among those heard from `since` on. */
  async untilStatus(runId: string, status: RunStatus, since = 0): Promise<RunSummary> {
    const find = () =>
      this.heard
        .slice(since)
        .flatMap((heard) => (heard.method === 'run/changed' ? [heard.params.run] : []))
        .find((run) => run.id === runId && run.status === status);
    await this.until(() => find() !== undefined);
    return find()!;
  }

  rows(runId: string): Notifications['run/progressed']['rows'] {
    return this.heard.flatMap((heard) =>
      heard.method === 'run/progressed' && heard.params.runId === runId ? heard.params.rows : [],
    );
  }

  /** Waits until the run has done so many steps. */
  async untilStep(runId: string, step: number): Promise<void> {
    await this.until(() =>
      this.heard.some(
        (heard) => heard.method === 'run/changed' && heard.params.run.id === runId && heard.params.run.step >= step,
      ),
    );
  }
}

export function openSocket(lock: Lock, headers: Record<string, string> = {}): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${String(lock.port)}/`, {
    headers: { authorization: `Bearer ${lock.token}`, ...headers },
    maxPayload: maxMessageBytes,
  });
  onTestFinished(() => {
    socket.terminate();
  });
  return socket;
}
