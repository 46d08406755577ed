// Ends a server by asking it with its token. No process is ever signalled by a number that a file names: it may be anyone's by now.
import { once } from 'node:events';
import { createMessageConnection } from 'vscode-jsonrpc/node';
import { WebSocket } from 'ws';
import type { ServerLock } from './serverLock.ts';
import { WebSocketMessageReader, WebSocketMessageWriter } from './webSocketTransport.ts';

/** Settles when the server has let go of us; at once where none listens. @throws Error where it does not end in time, with what to do */
export async function endServer(lock: ServerLock, { timeoutMs }: { timeoutMs: number }): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${lock.port}/`, {
    headers: { authorization: `Bearer ${lock.token}` },
    handshakeTimeout: timeoutMs,
    perMessageDeflate: false,
  });
  socket.on('error', () => undefined); // its 'close' follows
  const closed = once(socket, 'close');
  const isOpen = await Promise.race([once(socket, 'open').then(() => true), closed.then(() => false)]).catch(
    () => false,
  );
  if (!isOpen) return; // nobody listens there, or it is not this lock's server
  const rpc = createMessageConnection(new WebSocketMessageReader(socket), new WebSocketMessageWriter(socket));
  rpc.listen();
  // What ends may answer or close first; one that does not know the request is of an older version.
  const refused = rpc.sendRequest('server/end', {}).then(
    () => new Promise<never>(() => undefined),
    (error: unknown) => {
      if (socket.readyState !== WebSocket.OPEN) return new Promise<never>(() => undefined);
      throw error;
    },
  );
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`it did not within ${timeoutMs / 1000} s`));
    }, timeoutMs);
  });
  try {
    await Promise.race([closed, refused, late]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `The server (process ${lock.pid}, Kafscope ${lock.version}) was asked to end: ${reason}. End that process yourself, then try again.`,
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
    rpc.dispose();
    socket.terminate();
  }
}
