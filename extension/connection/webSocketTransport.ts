// JSON-RPC messages over a WebSocket: one binary message each, as server/protocol/codec.ts packs them. Opening the socket and
// what the messages mean are elsewhere.
import { AbstractMessageReader, AbstractMessageWriter } from 'vscode-jsonrpc/node';
import type { DataCallback, Disposable, Message, MessageReader, MessageWriter } from 'vscode-jsonrpc/node';
import type { RawData, WebSocket } from 'ws';
import { decode, encode } from '../../server/protocol/codec.ts';

export class WebSocketMessageReader extends AbstractMessageReader implements MessageReader {
  private readonly socket: WebSocket;

  constructor(socket: WebSocket) {
    super();
    this.socket = socket;
  }

  /** Hands on every message that unpacks. After one that doesn't, nothing can be relied on: the connection ends. */
  listen(callback: DataCallback): Disposable {
    const onMessage = (data: RawData): void => {
      let message: Message;
      try {
        message = decode(bytesOf(data)) as Message;
      } catch (error) {
        this.fireError(error);
        this.socket.terminate();
        return;
      }
      callback(message);
    };
    const onError = (error: Error): void => {
      this.fireError(error);
    };
    const onClose = (): void => {
      this.fireClose();
    };
    this.socket.on('message', onMessage).on('error', onError).on('close', onClose);
    return {
      dispose: () => {
        this.socket.off('message', onMessage).off('error', onError).off('close', onClose);
      },
    };
  }
}

export class WebSocketMessageWriter extends AbstractMessageWriter implements MessageWriter {
  private readonly socket: WebSocket;

  constructor(socket: WebSocket) {
    super();
    this.socket = socket;
  }

  write(message: Message): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.send(encode(message), { binary: true }, (error) => {
        if (error) {
          this.fireError(error, message);
          reject(error);
        } else {
          resolve();
        }
      });
    });
  }

  end(): void {
    this.socket.close();
  }
}

/** A plain view: Node's Buffer has a `slice` of its own, which does not copy. */
function bytesOf(data: RawData): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  const { buffer, byteOffset, byteLength } = Array.isArray(data) ? Buffer.concat(data) : data;
  return new Uint8Array(buffer, byteOffset, byteLength);
}
