// JSON-RPC messages over a WebSocket: one binary frame each, encoded by the protocol's codec. Works for both ends.
import { AbstractMessageReader, AbstractMessageWriter, Disposable } from 'vscode-jsonrpc/node';
import type { DataCallback, Message, MessageReader, MessageWriter, ResponseMessage } from 'vscode-jsonrpc/node';
import type { RawData, WebSocket } from 'ws';
import { requestErrorCodes } from '../protocol/errors.ts';
import type { RequestErrorData } from '../protocol/errors.ts';
import { decode, encode } from '../protocol/codec.ts';
import { maxMessageBytes } from '../protocol/messages.ts';

// Close codes of RFC 6455, section 7.4.1.
const unsupportedData = 1003;
const invalidPayload = 1007;

export class SocketReader extends AbstractMessageReader implements MessageReader {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
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
        message = decode(bytesOf(data));
        if (!isMessage(message)) throw new Error('not a JSON-RPC 2.0 message');
      } catch (error) {
        this.fireError(error);
        this.#socket.close(invalidPayload, 'a frame is one encoded JSON-RPC 2.0 message');
        return;
      }
      callback(message);
    };
    this.#socket.on('message', receive);
    return Disposable.create(() => {
      this.#socket.off('message', receive);
    });
  }
}

export class SocketWriter extends AbstractMessageWriter implements MessageWriter {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
    socket.on('close', () => {
      this.fireClose();
    });
  }

  write(message: Message): Promise<void> {
    let bytes = encode(message);
    if (bytes.byteLength > maxMessageBytes) {
      if (!isResponse(message))
        return Promise.reject(new Error(`A message of ${String(bytes.byteLength)} bytes is too large.`));
      bytes = encode(tooLarge(message, bytes.byteLength));
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    // A socket that closes meanwhile loses the message; its 'close' event tells everyone who waits.
    this.#socket.send(bytes, { binary: true }, () => {
      resolve();
    });
    return promise;
  }

  end(): void {
    this.#socket.close();
  }
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

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && 'jsonrpc' in value && value.jsonrpc === '2.0';
}

function isResponse(message: Message): message is ResponseMessage {
  return 'id' in message && !('method' in message);
}

/** A plain view: the codec copies typed arrays with `slice`, which on a Buffer would copy nothing. */
function bytesOf(data: RawData): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  const buffer = Array.isArray(data) ? Buffer.concat(data) : data;
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
