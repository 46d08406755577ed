// Asks whether a server answers, by the same greeting that clients send.
import { createMessageConnection } from 'vscode-jsonrpc/node';
import { WebSocket } from 'ws';
import { maxMessageBytes, protocolVersion } from '../protocol/messages.ts';
import type { HelloParams } from '../protocol/messages.ts';
import { requestErrorCodes } from '../protocol/errors.ts';
import type { Lock } from './lockFile.ts';
import { SocketReader, SocketWriter } from './socketTransport.ts';

const patienceMs = 3000;

/** False where nobody answers in time. A server of another version does answer. */
export async function greetServer(lock: Lock): Promise<boolean> {
  const socket = new WebSocket(`ws://127.0.0.1:${String(lock.port)}/`, {
    headers: { authorization: `Bearer ${lock.token}` },
    handshakeTimeout: patienceMs,
    maxPayload: maxMessageBytes,
  });
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => {
    resolve(false);
  }, patienceMs);
  socket.on('error', () => {
    resolve(false);
  });
  socket.on('close', () => {
    resolve(false);
  });
  socket.on('open', () => {
    const connection = createMessageConnection(new SocketReader(socket), new SocketWriter(socket));
    connection.listen();
    const params: HelloParams = { protocolVersion, client: 'another server' };
    connection.sendRequest('server/hello', params).then(
      () => {
        resolve(true);
      },
      (error: unknown) => {
        resolve((error as { code?: number }).code === requestErrorCodes.versionMismatch);
      },
    );
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.terminate();
  }
}
