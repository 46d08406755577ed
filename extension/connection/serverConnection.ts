// The one connection of a window with the server of its runs folder: finds or starts the server, speaks JSON-RPC with it, and
// comes back after a loss. Knows no `vscode`; who starts a server, and how, is passed in.
import { CancellationToken, createMessageConnection, Emitter } from 'vscode-jsonrpc/node';
import type { Disposable, Event, MessageConnection } from 'vscode-jsonrpc/node';
import { WebSocket } from 'ws';
import { requestErrorCodes } from '../../server/protocol/errors.ts';
import type { HelloResult, Notifications, RequestMethod, Requests } from '../../server/protocol/messages.ts';
import { maxMessageBytes, protocolVersion } from '../../server/protocol/messages.ts';
import type { ConnectionState } from '../../server/protocol/panel.ts';
import type { Row } from '../../server/protocol/records.ts';
import { CancelledError, patiently, type Patience } from './patience.ts';
import { lostConnection, RequestFailure, requestFailure } from './requestFailure.ts';
import type { SubscriptionRequests } from './rowSubscription.ts';
import { RowSubscription } from './rowSubscription.ts';
import type { ServerLock } from './serverLock.ts';
import { WebSocketMessageReader, WebSocketMessageWriter } from './webSocketTransport.ts';

export interface ServerConnectionOptions {
  /** Name and version, for the server's log. */
  readonly client: string;
  readonly readLock: () => Promise<ServerLock | null>;
  /** Starts a server and resolves with its lock. */
  readonly startServer: (signal: AbortSignal) => Promise<ServerLock>;
  readonly endServer: (lock: ServerLock, signal: AbortSignal) => Promise<void>;
  /** Pauses before the attempts to reconnect; after the last one the connection stays lost until someone asks. */
  readonly retryDelaysMs: readonly number[];
  /** How long the server of a lock may say nothing until one is started, which asks it again and with more patience. */
  readonly handshakeTimeoutMs: number;
  /** Nothing else has an end by the clock. */
  readonly patience: Patience;
  readonly log: (line: string) => void;
}

interface Session {
  readonly socket: WebSocket;
  readonly rpc: MessageConnection;
  readonly hello: HelloResult;
}

export class ServerConnection implements Disposable {
  private readonly options: ServerConnectionOptions;
  private readonly stateEmitter = new Emitter<ConnectionState>();
  private readonly runChangedEmitter = new Emitter<Notifications['run/changed']>();
  private readonly datasetProgressedEmitter = new Emitter<Notifications['dataset/progressed']>();
  private readonly seriesProgressedEmitter = new Emitter<Notifications['series/progressed']>();
  private readonly subscriptions = new Map<string, RowSubscription>();
  private currentState: ConnectionState = { status: 'stopped' };
  private session: Session | null = null;
  private opening: Promise<Session> | null = null;
  /** Ends what is under way: opening, or ending a server. */
  private underWay: AbortController | null = null;
  private retryTimer: NodeJS.Timeout | null = null;
  private isDisposed = false;

  constructor(options: ServerConnectionOptions) {
    this.options = options;
  }

  get state(): ConnectionState {
    return this.currentState;
  }

  readonly onDidChangeState: Event<ConnectionState> = this.stateEmitter.event;
  readonly onRunChanged: Event<Notifications['run/changed']> = this.runChangedEmitter.event;
  readonly onDatasetProgressed: Event<Notifications['dataset/progressed']> = this.datasetProgressedEmitter.event;
  readonly onSeriesProgressed: Event<Notifications['series/progressed']> = this.seriesProgressedEmitter.event;

  /** Resolves when the server has answered hello. @throws RequestFailure or Error with what to do. */
  async connect(): Promise<HelloResult> {
    return (await this.open()).hello;
  }

  /**
   * Sends a request, connecting first where there is no connection.
   *
   * @throws RequestFailure naming the method, for a refusal, a cancellation and a lost connection alike.
   */
  async request<Method extends RequestMethod>(
    method: Method,
    params: Requests[Method]['params'],
    token: CancellationToken = CancellationToken.None,
  ): Promise<Requests[Method]['result']> {
    const session = await this.open();
    return send(session.rpc, method, params, token);
  }

  /** Delivers the rows of a run after the cursor, each once and in order, across losses of the connection. */
  subscribe(runId: string, cursor: number, deliver: (rows: readonly Row[]) => void): Disposable {
    const subscription = this.subscriptions.get(runId) ?? this.newSubscription(runId);
    const feed = subscription.add(cursor, deliver);
    return {
      dispose: () => {
        subscription.remove(feed);
      },
    };
  }

  /** Ends the server, whoever started it, and connects to a new one. */
  async restartServer(): Promise<void> {
    this.cancelRetry();
    this.underWay?.abort(new CancelledError('the server is being restarted'));
    await this.opening?.catch(() => undefined);
    this.drop();
    this.setState({ status: 'starting' });
    try {
      await this.endOf(await this.options.readLock());
    } catch (error) {
      this.setLost(error);
      throw error;
    }
    await this.connect();
  }

  /** Leaves the server, which goes on for others, and finds or starts the one that is right by now. */
  async reconnect(): Promise<void> {
    this.cancelRetry();
    await this.opening?.catch(() => undefined);
    this.drop();
    this.setState({ status: 'starting' });
    await this.connect();
  }

  dispose(): void {
    this.isDisposed = true;
    this.underWay?.abort(new CancelledError('the connection is closed for good'));
    this.cancelRetry();
    this.drop();
    this.currentState = { status: 'stopped' };
    this.stateEmitter.dispose();
    this.runChangedEmitter.dispose();
    this.datasetProgressedEmitter.dispose();
    this.seriesProgressedEmitter.dispose();
  }

  private async endOf(lock: ServerLock | null): Promise<void> {
    const { endServer, patience } = this.options;
    if (!lock) return;
    this.underWay = new AbortController();
    const sentence = 'Still waiting for the training server to end: first it saves its runs.';
    await patiently(sentence, patience, this.underWay, (signal) => endServer(lock, signal));
  }

  private open(): Promise<Session> {
    if (this.isDisposed) return Promise.reject(new Error('The connection is closed for good.'));
    if (this.session) return Promise.resolve(this.session);
    this.opening ??= this.establish().finally(() => {
      this.opening = null;
    });
    return this.opening;
  }

  private async establish(): Promise<Session> {
    this.cancelRetry();
    if (this.currentState.status !== 'lost') this.setState({ status: 'starting' });
    this.underWay = new AbortController();
    const sentence = 'Still waiting for the training server. On a slow disk or a busy machine it may take minutes.';
    try {
      const session = await patiently(sentence, this.options.patience, this.underWay, (signal) =>
        this.findOrStart(signal),
      );
      if (this.isDisposed || session.socket.readyState !== WebSocket.OPEN) {
        close(session);
        throw lostConnection('server/hello');
      }
      this.session = session;
      session.socket.once('close', () => {
        this.onLost(session);
      });
      this.options.log(`Connected to server ${session.hello.serverVersion}, process ${session.hello.pid}.`);
      this.setState({ status: 'connected' });
      for (const [runId, subscription] of this.subscriptions)
        subscription.use(subscriptionRequests(session.rpc, runId));
      return session;
    } catch (error) {
      this.setLost(error);
      throw error;
    }
  }

  private setLost(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.options.log(`Not connected: ${message}`);
    this.setState({ status: 'lost', message });
  }

  private async findOrStart(signal: AbortSignal): Promise<Session> {
    const lock = await this.options.readLock();
    if (lock) {
      const late = new AbortController();
      const timer = setTimeout(() => {
        late.abort(new Error('it said nothing'));
      }, this.options.handshakeTimeoutMs);
      try {
        return await this.greet(lock, AbortSignal.any([signal, late.signal]));
      } catch (error) {
        signal.throwIfAborted();
        if (isVersionMismatch(error)) throw error;
        this.options.log(`The server of the lock file does not answer (${String(error)}); starting one.`);
      } finally {
        clearTimeout(timer);
      }
    }
    // It has said that it lives; until its runs are read it lets us wait at the door.
    return this.greet(await this.options.startServer(signal), signal);
  }

  /** Opens a socket with the lock's token and says hello. */
  private async greet(lock: ServerLock, signal: AbortSignal): Promise<Session> {
    signal.throwIfAborted();
    const socket = new WebSocket(`ws://127.0.0.1:${lock.port}/`, {
      headers: { authorization: `Bearer ${lock.token}` },
      maxPayload: maxMessageBytes,
      perMessageDeflate: false,
    });
    const giveUp = (): void => {
      socket.terminate();
    };
    signal.addEventListener('abort', giveUp);
    try {
      await opened(socket);
      return await this.hello(socket);
    } catch (error) {
      socket.terminate();
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  private async hello(socket: WebSocket): Promise<Session> {
    const rpc = createMessageConnection(new WebSocketMessageReader(socket), new WebSocketMessageWriter(socket), {
      error: this.options.log,
      warn: this.options.log,
      info: () => undefined,
      log: () => undefined,
    });
    rpc.onNotification('run/progressed', ({ runId, rows }: Notifications['run/progressed']) => {
      this.subscriptions.get(runId)?.accept(rows);
    });
    rpc.onNotification('run/changed', (changed: Notifications['run/changed']) => {
      this.runChangedEmitter.fire(changed);
    });
    rpc.onNotification('dataset/progressed', (progress: Notifications['dataset/progressed']) => {
      this.datasetProgressedEmitter.fire(progress);
    });
    rpc.onNotification('series/progressed', (progress: Notifications['series/progressed']) => {
      this.seriesProgressedEmitter.fire(progress);
    });
    rpc.onError(([error]) => {
      this.options.log(`A message was not understood: ${error.message}`);
    });
    const onClose = (): void => {
      rpc.dispose(); // rejects what is pending
    };
    socket.once('close', onClose);
    rpc.listen();

    const hello = await send(rpc, 'server/hello', { protocolVersion, client: this.options.client });
    if (hello.protocolVersion !== protocolVersion) throw versionMismatch(hello.serverVersion);
    return { socket, rpc, hello };
  }

  private onLost(session: Session): void {
    if (this.session !== session) return;
    this.session = null;
    for (const subscription of this.subscriptions.values()) subscription.use(null);
    this.options.log('The connection to the server was lost.');
    this.setState({ status: 'lost', message: 'The connection to the server was lost.' });
    this.retry(0);
  }

  private retry(attempt: number): void {
    const delayMs = this.options.retryDelaysMs[attempt];
    if (delayMs === undefined || this.isDisposed) return;
    this.retryTimer = setTimeout(() => {
      this.retryTimer = null;
      this.open().catch((error: unknown) => {
        // Logged where it happened. A server of another version stays so however often it is asked, and who cancels asks again.
        if (!isVersionMismatch(error) && !(error instanceof CancelledError)) this.retry(attempt + 1);
      });
    }, delayMs);
  }

  private cancelRetry(): void {
    if (this.retryTimer) clearTimeout(this.retryTimer);
    this.retryTimer = null;
  }

  private newSubscription(runId: string): RowSubscription {
    const subscription = new RowSubscription((line) => {
      this.options.log(`Run ${runId}: ${line}`);
    });
    this.subscriptions.set(runId, subscription);
    if (this.session) subscription.use(subscriptionRequests(this.session.rpc, runId));
    return subscription;
  }

  /** Lets go of the connection without coming back to it. */
  private drop(): void {
    const session = this.session;
    this.session = null;
    for (const subscription of this.subscriptions.values()) subscription.use(null);
    if (session) close(session);
  }

  private setState(state: ConnectionState): void {
    if (this.isDisposed) return;
    this.currentState = state;
    this.stateEmitter.fire(state);
  }
}

/** Whether a server answered, but of a version that this extension can't speak with. */
export function isVersionMismatch(error: unknown): boolean {
  return error instanceof RequestFailure && error.code === requestErrorCodes.versionMismatch;
}

function versionMismatch(serverVersion: string): RequestFailure {
  return new RequestFailure(
    'server/hello',
    `The server at work is version ${serverVersion}, which this extension can't speak with. Restart the server.`,
    {
      code: requestErrorCodes.versionMismatch,
      isRetryable: false,
    },
  );
}

function subscriptionRequests(rpc: MessageConnection, runId: string): SubscriptionRequests {
  return {
    subscribe: (cursor) => send(rpc, 'run/subscribe', { runId, cursor }),
    unsubscribe: () => send(rpc, 'run/unsubscribe', { runId }),
  };
}

async function send<Method extends RequestMethod>(
  rpc: MessageConnection,
  method: Method,
  params: Requests[Method]['params'],
  token: CancellationToken = CancellationToken.None,
): Promise<Requests[Method]['result']> {
  try {
    return await rpc.sendRequest<Requests[Method]['result']>(method, params, token);
  } catch (error) {
    throw requestFailure(method, error);
  }
}

function close(session: Session): void {
  session.rpc.dispose();
  session.socket.close();
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.terminate();
      reject(error);
    };
    socket.once('error', fail);
    socket.once('open', () => {
      socket.off('error', fail);
      // An error after opening also closes the socket; without a listener it would end the extension host.
      socket.on('error', () => undefined);
      resolve();
    });
  });
}
