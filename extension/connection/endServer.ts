// Ends a server by asking it with its token. No process is ever signalled by a number that a file names: it may be anyone's by now.
import { once } from 'node:events';
import { createMessageConnection } from 'vscode-jsonrpc/node';
import { WebSocket } from 'ws';
import type { ServerLock } from './serverLock.ts';
import { WebSocketMessageReader, WebSocketMessageWriter } from './webSocketTransport.ts';

/**
 * Settles when the server has let go of us, which it does when its runs are saved, however long that takes; at once where none listens.
 * @throws Error where the signal ends the waiting, or it does not know how to end, with what to do
 */
export async function endServer(lock: ServerLock, signal: AbortSignal): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${lock.port}/`, {
    headers: { authorization: `Bearer ${lock.token}` },
    perMessageDeflate: false,
  });
  socket.on('error', () => undefined); // its 'close' follows
  const closed = new Promise<false>((resolve) => {
    socket.once('close', () => {
      resolve(false);
    });
  });
  const opened = new Promise<true>((resolve) => {
    socket.once('open', () => {
      resolve(true);
    });
  });
  const cancelled = once(signal, 'abort').then(() => Promise.reject(signal.reason as Error));
  try {
    const isOpen = await Promise.race([opened, closed, cancelled]);
    if (isOpen) await Promise.race([askToEnd(socket), closed, cancelled]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `The server (process ${lock.pid}, Kafscope ${lock.version}) was asked to end: ${reason}. End that process yourself, then try again.`,
      { cause: error },
    );
  } finally {
    socket.terminate();
  }
}

/** Settles never but by a refusal: what ends may answer or close first. One that does not know the request is of an older version. */
async function askToEnd(socket: WebSocket): Promise<never> {
  const rpc = createMessageConnection(new WebSocketMessageReader(socket), new WebSocketMessageWriter(socket));
  socket.once('close', () => {
    rpc.dispose();
  });
  rpc.listen();
  try {
    await rpc.sendRequest('server/end', {});
  } catch (error) {
    if (socket.readyState === WebSocket.OPEN) throw error;
  }
  return new Promise<never>(() => undefined);
}
