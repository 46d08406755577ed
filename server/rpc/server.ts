// The server: one WebSocket endpoint on the loopback for one runs folder. Lives while it has clients or work.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { maxMessageBytes } from '../protocol/messages.ts';
import { RunReader } from '../run/runReader.ts';
import { RunSupervisor } from '../run/runSupervisor.ts';
import { storageError } from '../run/storageError.ts';
import { greetServer } from './greetServer.ts';
import { readLock, releaseLock, takeLock } from './lockFile.ts';
import type { Lock } from './lockFile.ts';
import type { Services } from './requests.ts';
import { Session } from './session.ts';

export interface ServerOptions {
  readonly runsFolder: string;
  readonly version: string;
  readonly trainerFile: string;
  readonly services: Services;
  /** How long it stays when the last client and all work have gone; Infinity for ever. */
  readonly idleMs: number;
  readonly log: (line: string) => void;
}

export interface RunningServer {
  readonly lock: Lock;
  /** Settles when the server has ended, by `close` or for lack of clients. */
  readonly closed: Promise<void>;
  close(reason: string): Promise<void>;
}

const followMs = 2000;

/** Whoever started the server has so long to connect. */
const firstClientMs = 60_000;

/** @throws FolderTakenError where another server has the folder, StorageError where it can't be written. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { runsFolder, log } = options;
  try {
    fs.mkdirSync(runsFolder, { recursive: true });
  } catch (error) {
    throw storageError(runsFolder, error);
  }
  const token = randomBytes(32).toString('base64url');
  const web = http.createServer((_request, response) => {
    response.writeHead(426, { 'content-type': 'text/plain' }).end('Kafscope speaks WebSocket here.\n');
  });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes, perMessageDeflate: false });
  web.on('upgrade', (request, stream, head) => {
    const refusal = refusalOf(request, token);
    if (refusal) refuse(stream, refusal);
    else
      sockets.handleUpgrade(request, stream, head, (socket) => {
        sockets.emit('connection', socket, request);
      });
  });
  web.listen(0, '127.0.0.1');
  await once(web, 'listening');
  const { port } = web.address() as AddressInfo;
  const lock: Lock = { pid: process.pid, port, token, version: options.version, startedMs: Date.now() };
  // Clients wait at the door until the runs are read: a connection is accepted by the system, and served from here on.
  try {
    await takeLock(runsFolder, lock, greetServer);
  } catch (error) {
    web.close();
    throw error;
  }

  const supervisor = new RunSupervisor({ runsFolder, trainerFile: options.trainerFile, log, now: () => Date.now() });
  const reader = new RunReader();
  const context = {
    serverVersion: options.version,
    runsFolder,
    supervisor,
    reader,
    services: options.services,
    end: (reason: string) => void close(reason),
  };
  const sessions = new Set<Session>();
  let idleSinceMs = performance.now();
  let patienceMs = Math.max(firstClientMs, options.idleMs);
  sockets.on('connection', (socket) => {
    const session = new Session(socket, context, log);
    sessions.add(session);
    patienceMs = options.idleMs;
    socket.on('close', () => {
      sessions.delete(session);
      idleSinceMs = performance.now();
    });
  });
  supervisor.events.on('changed', (run) => {
    for (const session of sessions) session.runChanged(run);
  });
  supervisor.events.on('cut', (runId) => {
    reader.forget(runId);
    for (const session of sessions) session.runCut(runId);
  });
  supervisor.events.on('deleted', (run) => {
    reader.forget(run.id);
    for (const session of sessions) session.runDeleted(run);
  });

  const { promise: closed, resolve } = Promise.withResolvers<void>();
  let isClosing = false;
  const close = async (reason: string) => {
    if (isClosing) return closed;
    isClosing = true;
    log(`ends: ${reason}`);
    clearInterval(timer);
    await supervisor.close(reason);
    for (const session of sessions) session.close();
    sockets.close();
    web.close();
    reader.close();
    releaseLock(runsFolder, lock);
    resolve();
    return closed;
  };
  const timer = setInterval(
    () => {
      if (supervisor.isBusy || sessions.size > 0) idleSinceMs = performance.now();
      try {
        supervisor.followOthers();
      } catch (error) {
        log(`${runsFolder} can't be read: ${(error as Error).message}`);
      }
      if (performance.now() - idleSinceMs >= patienceMs) void close('no client and no work');
      else if (readLock(runsFolder)?.token !== token) void close('another server has taken its folder');
    },
    Math.min(followMs, options.idleMs),
  );
  return { lock, closed, close };
}

interface Refusal {
  readonly status: string;
  readonly text: string;
}

function refusalOf(request: http.IncomingMessage, token: string): Refusal | null {
  if (request.headers.origin !== undefined) {
    return { status: '403 Forbidden', text: 'Web pages may not connect to Kafscope.' };
  }
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  if (!timingSafeEqual(digest(given), digest(token))) {
    return { status: '401 Unauthorized', text: 'The token is missing or wrong; it stands in server.lock.' };
  }
  if (request.url !== '/') return { status: '404 Not Found', text: 'Connect to the path /.' };
  return null;
}

function refuse(stream: Duplex, { status, text }: Refusal): void {
  const length = String(Buffer.byteLength(text));
  stream.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${length}\r\n\r\n${text}`,
  );
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
