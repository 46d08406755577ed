// JSON-RPC messages over a WebSocket: one binary frame each, encoded by the protocol's codec. Works for both ends.
import { AbstractMessageReader, AbstractMessageWriter, Disposable } from 'vscode-jsonrpc/node';
import type { DataCallback, Message, MessageReader, MessageWriter, ResponseMessage } from 'vscode-jsonrpc/node';
import type { RawData, WebSocket } from 'ws';
import { requestErrorCodes } from '../protocol/errors.ts';
import type { RequestErrorData } from '../protocol/errors.ts';
import { decodeWithin, encode, EncodedValue, encodeWith } from '../protocol/codec.ts';
import type { ContentLimits } from '../protocol/codec.ts';
import { maxMessageBytes } from '../protocol/messages.ts';

// Close codes of RFC 6455, section 7.4.1.
const unsupportedData = 1003;
const invalidPayload = 1007;

/** Requests of one client that are worked on, or whose answers wait for it. */
const maxUnanswered = 16;

/** Of more, so many are kept until it takes answers, so that what it cancels behind them is heard. */
const maxHeld = 16;
const maxHeldBytes = 1 << 20;

interface HeldRequest {
  readonly message: Message;
  readonly id: string | number;
  readonly sizeBytes: number;
  cancellation: Message | null;
}

export class SocketReader extends AbstractMessageReader implements MessageReader {
  readonly #socket: WebSocket;
  readonly #limits: ContentLimits;
  /** Of requests whose answers the client has not taken yet. */
  readonly #unanswered = new Set<string | number>();
  /** Of those among them that it has not cancelled: another time would be of no use, and wait in vscode-jsonrpc. */
  readonly #cancellable = new Set<string | number>();
  #held: HeldRequest[] = [];
  #callback: DataCallback | null = null;

  /** @param limits of a message: a server expects little, a client whole histories */
  constructor(socket: WebSocket, limits: ContentLimits = { depth: 64, values: Infinity }) {
    super();
    this.#socket = socket;
    this.#limits = limits;
    socket.on('close', () => {
      this.fireClose();
    });
    socket.on('error', (error) => {
      this.fireError(error);
    });
  }

  listen(callback: DataCallback): Disposable {
    const receive = (data: RawData, isBinary: boolean) => {
      if (!isBinary) {
        this.#socket.close(unsupportedData, 'messages are binary frames');
        return;
      }
      let message: unknown;
      try {
        message = decodeWithin(bytesOf(data), this.#limits);
        if (!isMessage(message)) throw new Error('not a JSON-RPC 2.0 message');
      } catch (error) {
        this.fireError(error);
        this.#socket.close(invalidPayload, 'a frame is one encoded JSON-RPC 2.0 message');
        return;
      }
      this.#take(message, bytesOf(data).byteLength);
    };
    this.#callback = callback;
    this.#socket.on('message', receive);
    return Disposable.create(() => {
      this.#socket.off('message', receive);
      this.#callback = null;
      this.#held = [];
    });
  }

  /** A client took the answer to a request of that id. */
  answered(id: string | number | null): void {
    for (const ids of [this.#unanswered, this.#cancellable]) if (id !== null) ids.delete(id);
    for (let next = this.#held[0]; next && this.#isNext(next.id); next = this.#held[0]) {
      this.#held.shift();
      this.#begin(next);
    }
    if (this.#held.length === 0 && this.#socket.isPaused) this.#socket.resume();
  }

  /**
   * A server is asked and told nothing else, but that a request is not wanted any more. Who asks without taking answers is not read on: neither
   * questions nor answers pile up. vscode-jsonrpc trusts what a message says, so that a cancellation must name a request.
   */
  #take(message: Message, sizeBytes: number): void {
    if (this.#limits.values === Infinity) {
      this.#deliver(message);
      return;
    }
    const { method, id, params } = message as { method?: string; id?: string | number | null; params?: unknown };
    if (method !== undefined && id !== undefined && id !== null) {
      this.#ask({ message, id, sizeBytes, cancellation: null });
    } else if (method === '$/cancelRequest' && typeof params === 'object' && params !== null && 'id' in params) {
      this.#cancel(message, params.id);
    }
  }

  #ask(request: HeldRequest): void {
    if (this.#held.length === 0 && this.#isNext(request.id)) {
      this.#begin(request);
      return;
    }
    this.#held.push(request);
    const bytes = this.#held.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (this.#held.length >= maxHeld || bytes >= maxHeldBytes) this.#socket.pause();
  }

  /** What waits for its turn is cancelled when that comes, before it is begun. */
  #cancel(cancellation: Message, id: unknown): void {
    const held = this.#held.find((request) => request.id === id);
    if (held) held.cancellation = cancellation;
    else if (this.#cancellable.delete(id as string | number)) this.#deliver(cancellation);
  }

  /** Whether a request of that id may be begun: it is told from others by nothing else. */
  #isNext(id: string | number): boolean {
    return this.#unanswered.size < maxUnanswered && !this.#unanswered.has(id);
  }

  #begin({ message, id, cancellation }: HeldRequest): void {
    this.#unanswered.add(id);
    this.#deliver(message);
    if (cancellation) this.#deliver(cancellation);
    else this.#cancellable.add(id);
  }

  #deliver(message: Message): void {
    try {
      this.#callback?.(message);
    } catch (error) {
      this.fireError(error);
      this.#socket.close(invalidPayload, 'a message could not be understood');
    }
  }
}

export class SocketWriter extends AbstractMessageWriter implements MessageWriter {
  readonly #socket: WebSocket;
  readonly #onTaken: (message: Message) => void;

  /** @param onTaken called when the system has taken a message whole */
  constructor(socket: WebSocket, onTaken: (message: Message) => void = () => {}) {
    super();
    this.#socket = socket;
    this.#onTaken = onTaken;
    socket.on('close', () => {
      this.fireClose();
    });
  }

  write(message: Message): Promise<void> {
    // Nobody is there any more; the socket's 'close' event tells everyone who waits.
    if (this.#socket.readyState !== this.#socket.OPEN) return Promise.resolve();
    let bytes = encoded(message);
    if (bytes.byteLength > maxMessageBytes) {
      if (!isResponse(message))
        return Promise.reject(new Error(`A message of ${String(bytes.byteLength)} bytes is too large.`));
      bytes = encode(tooLarge(message, bytes.byteLength));
    }
    // One that asks and does not read would have us keep its answers for ever.
    if (this.#socket.bufferedAmount + bytes.byteLength > maxMessageBytes) {
      this.#socket.terminate();
      const error = new Error(`it has ${String(this.#socket.bufferedAmount)} bytes to read and is let go`);
      this.fireError(error, message);
      return Promise.reject(error);
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    // A socket that closes meanwhile loses the message; its 'close' event tells everyone who waits.
    this.#socket.send(bytes, { binary: true }, () => {
      this.#onTaken(message);
      resolve();
    });
    return promise;
  }

  end(): void {
    this.#socket.close();
  }
}

/** A result that another process has encoded is not made again: that would take one long turn. */
function encoded(message: Message): Uint8Array {
  const { result, ...others } = message as Message & { result?: unknown };
  return result instanceof EncodedValue ? encodeWith(others, 'result', result) : encode(message);
}

function tooLarge(response: ResponseMessage, sizeBytes: number): ResponseMessage {
  const data: RequestErrorData = { fault: 'kafscope', isRetryable: false };
  return {
    jsonrpc: response.jsonrpc,
    id: response.id,
    error: {
      code: requestErrorCodes.internal,
      message: `The answer has ${String(sizeBytes)} bytes, more than the ${String(maxMessageBytes)} of a message.`,
      data,
    },
  };
}

/** vscode-jsonrpc trusts the parts of a message; one that lacks them would end this process. */
function isMessage(value: unknown): value is Message {
  if (typeof value !== 'object' || value === null || !('jsonrpc' in value) || value.jsonrpc !== '2.0') return false;
  if ('id' in value && value.id !== null && typeof value.id !== 'string' && typeof value.id !== 'number') return false;
  if (!('method' in value)) return 'id' in value && ('result' in value || 'error' in value);
  if (typeof value.method !== 'string' || value.method.length > 100) return false;
  return !('params' in value) || value.params === null || typeof value.params === 'object';
}

function isResponse(message: Message): message is ResponseMessage {
  return 'id' in message && !('method' in message);
}

/** A plain view: the codec copies typed arrays with `slice`, which on a Buffer would copy nothing. */
function bytesOf(data: RawData): Uint8Array {
  // As long as nobody sets the socket's `binaryType`.
  const { buffer, byteOffset, byteLength } = data as Buffer;
  return new Uint8Array(buffer, byteOffset, byteLength);
}
