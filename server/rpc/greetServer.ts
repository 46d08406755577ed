// Asks the server of a lock whether it lives, by the same greeting that clients send.
import { createMessageConnection } from 'vscode-jsonrpc/node';
import { WebSocket } from 'ws';
import { maxMessageBytes, protocolVersion } from '../protocol/messages.ts';
import type { HelloParams } from '../protocol/messages.ts';
import { requestErrorCodes } from '../protocol/errors.ts';
import type { Lock, LockAnswer } from './lockFile.ts';
import { SocketReader, SocketWriter } from './socketTransport.ts';

/** A server of another version answers, too. One that is silent is so for the whole of the patience: it may have let go of us in haste. */
export async function greetServer(lock: Lock, patienceMs: number): Promise<LockAnswer> {
  const socket = new WebSocket(`ws://127.0.0.1:${String(lock.port)}/`, {
    headers: { authorization: `Bearer ${lock.token}` },
    maxPayload: maxMessageBytes,
  });
  const { promise, resolve } = Promise.withResolvers<LockAnswer>();
  const timer = setTimeout(() => {
    resolve('silent');
  }, patienceMs);
  // Refused by the system, or by somebody who does not know the token.
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNREFUSED' || /^Unexpected server response/.test(error.message)) resolve('gone');
  });
  socket.on('open', () => {
    const connection = createMessageConnection(new SocketReader(socket), new SocketWriter(socket));
    connection.listen();
    const params: HelloParams = { protocolVersion, client: 'another server' };
    connection.sendRequest('server/hello', params).then(
      () => {
        resolve('answers');
      },
      (error: unknown) => {
        if ((error as { code?: number }).code === requestErrorCodes.versionMismatch) resolve('answers');
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
