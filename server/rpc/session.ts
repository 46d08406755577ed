// One connected client: its requests, the runs it follows, and what it is told unasked.
import { createMessageConnection } from 'vscode-jsonrpc/node';
import type { MessageConnection, ResponseMessage } from 'vscode-jsonrpc/node';
import type { WebSocket } from 'ws';
import type { NotificationMethod, Notifications } from '../protocol/messages.ts';
import type { RunSummary } from '../protocol/run.ts';
import { RequestHandler } from './requests.ts';
import type { RequestContext } from './requests.ts';
import { SocketReader, SocketWriter } from './socketTransport.ts';
import { Subscriptions } from './subscriptions.ts';

/** An experiment's text is one value; nothing that a client sends is deep or of many parts. */
const requestLimits = { depth: 32, values: 100_000 };

/** A client that has not greeted by then is none: an extension host that others hold up may take a while. */
const greetingMs = 60_000;

/** A client that so much waits for and that takes nothing for so long is given up. */
const maxWaitingBytes = 32 * 1024 * 1024;
const longestSilenceMs = 60_000;
const lookEveryMs = 5000;

/** Progress alone is told no more often; a change of status at once. */
const shortestGapMs = 500;

interface Told {
  run: RunSummary;
  atMs: number;
  timer: NodeJS.Timeout | null;
}

export class Session {
  readonly #connection: MessageConnection;
  readonly #requests: RequestHandler;
  readonly #subscriptions: Subscriptions;
  readonly #socket: WebSocket;
  readonly #log: (line: string) => void;
  readonly #told = new Map<string, Told>();
  readonly #watch: NodeJS.Timeout;
  #silentMs = 0;

  constructor(socket: WebSocket, context: RequestContext, log: (line: string) => void) {
    this.#socket = socket;
    this.#log = log;
    const { supervisor, reader } = context;
    this.#subscriptions = new Subscriptions({
      read: (runId, cursor) => reader.rows(supervisor.get(runId), cursor),
      lastSeq: (runId) => reader.lastSeq(supervisor.get(runId)),
      backlogBytes: () => socket.bufferedAmount,
      send: (runId, rows) => {
        this.#notify('run/progressed', { runId, rows });
      },
      log,
    });
    this.#requests = new RequestHandler(context, this.#subscriptions, {
      look: (progress) => {
        this.#notify('dataset/progressed', progress);
      },
      series: (progress) => {
        this.#notify('series/progressed', progress);
      },
    });
    const input = new SocketReader(socket, requestLimits);
    const output = new SocketWriter(socket, (message) => {
      this.#silentMs = 0;
      if ('id' in message) input.answered((message as ResponseMessage).id);
    });
    this.#connection = createMessageConnection(input, output);
    this.#connection.onRequest((method, params, token) => this.#requests.handle(method, params, token));
    this.#connection.onError(([error]) => {
      log(`client: ${error.message}`);
    });
    this.#connection.onClose(() => {
      this.#forget();
    });
    this.#connection.listen();
    let sinceMs = 0;
    this.#watch = setInterval(() => {
      sinceMs += lookEveryMs;
      if (!this.#requests.hasGreeted && sinceMs >= greetingMs) this.#giveUp('it did not greet');
      else this.#watchWaiting();
    }, lookEveryMs);
  }

  runChanged(run: RunSummary): void {
    this.#subscriptions.progressed(run.id);
    const told = this.#told.get(run.id);
    if (!told || (isNews(told.run, run) && this.#socket.bufferedAmount <= maxWaitingBytes)) {
      this.#tell(run);
      return;
    }
    told.run = run;
    told.timer ??= setTimeout(
      () => {
        this.#tell(told.run);
      },
      Math.max(0, told.atMs + shortestGapMs - performance.now()),
    );
  }

  runCut(runId: string): void {
    this.#subscriptions.cut(runId);
  }

  runDeleted(run: RunSummary): void {
    this.#subscriptions.remove(run.id);
    this.#clear(run.id);
    this.#notify('run/changed', { run, isDeleted: true });
  }

  close(): void {
    this.#forget();
    this.#connection.end();
  }

  #tell(run: RunSummary): void {
    this.#clear(run.id);
    if (this.#socket.bufferedAmount > maxWaitingBytes) {
      // The latest is enough, once the client has taken what it was sent.
      const told: Told = { run, atMs: performance.now(), timer: null };
      told.timer = setTimeout(() => {
        this.#tell(told.run);
      }, shortestGapMs);
      this.#told.set(run.id, told);
      return;
    }
    this.#told.set(run.id, { run, atMs: performance.now(), timer: null });
    this.#notify('run/changed', { run, isDeleted: false });
  }

  #notify<Method extends NotificationMethod>(method: Method, params: Notifications[Method]): void {
    if (!this.#requests.hasGreeted || this.#socket.readyState !== this.#socket.OPEN) return;
    this.#connection.sendNotification(method, params).catch((error: unknown) => {
      this.#log(`client: ${method} was not sent: ${String(error)}`);
    });
  }

  #clear(runId: string): void {
    const timer = this.#told.get(runId)?.timer;
    if (timer) clearTimeout(timer);
    this.#told.delete(runId);
  }

  /** Bytes that wait while no message gets through are those of a client that does not read. */
  #watchWaiting(): void {
    this.#silentMs = this.#socket.bufferedAmount === 0 ? 0 : this.#silentMs + lookEveryMs;
    if (this.#silentMs >= longestSilenceMs) this.#giveUp('it took nothing for a minute');
  }

  #giveUp(why: string): void {
    this.#log(`a client is let go: ${why}`);
    this.#socket.terminate();
  }

  #forget(): void {
    clearInterval(this.#watch);
    this.#requests.abandon();
    for (const runId of [...this.#told.keys()]) this.#clear(runId);
    this.#subscriptions.close();
  }
}

function isNews(before: RunSummary, after: RunSummary): boolean {
  return (
    before.status !== after.status ||
    before.message !== after.message ||
    before.device !== after.device ||
    before.checkpoints.length !== after.checkpoints.length
  );
}
