// The server: one WebSocket endpoint on the loopback for one runs folder. Lives while it has clients or work.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { maxRequestBytes } from '../protocol/messages.ts';
import { RunReader } from '../run/runReader.ts';
import { BatchDesk } from '../sweep/batch/batchDesk.ts';
import { SweepDesk } from '../sweep/sweepDesk.ts';
import { TakenGpus } from '../run/takenGpus.ts';
import { RunSupervisor } from '../run/runSupervisor.ts';
import { storageError } from '../run/storageError.ts';
import { greetServer } from './greetServer.ts';
import { HeldLock } from './lockFile.ts';
import type { Lock } from './lockFile.ts';
import type { Services } from './requests.ts';
import { Session } from './session.ts';

export interface ServerOptions {
  readonly runsFolder: string;
  readonly version: string;
  readonly trainerFile: string;
  readonly services: Services;
  /** Only shows runs: nothing is trained, and nothing in the folder is written. */
  readonly isLooking?: boolean;
  /** Of a cluster's scheduler, from the editor's machine-scoped settings. */
  readonly schedulerSettings?: Readonly<Record<string, unknown>>;
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

/**
 * Whoever started the server has so long to connect, from when it is served. It knocks within a twentieth of a second of the lock, and waits
 * at the door till then; one that comes later finds nobody, and starts another server.
 */
const firstClientMs = 60_000;

/** Connections that have not shown the token: of more the oldest is closed. */
const maxStrangers = 64;

/**
 * In which a stranger must have asked for what it wants. One who has the token does so at once; a server or a client that a slow disk has held
 * up for a while may let it seem late.
 */
const strangerMs = 30_000;

/**
 * @throws FolderTakenError where another server has the folder, StorageError where it can neither be written nor a lock be kept
 * elsewhere.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { runsFolder, log, isLooking = false } = options;
  if (!isLooking) makeFolder(runsFolder);
  const token = randomBytes(32).toString('base64url');
  const { web, sockets } = openDoor(token, log);
  web.listen(0, '127.0.0.1');
  await once(web, 'listening');
  const { port } = web.address() as AddressInfo;
  // Clients wait at the door until the runs are read: a connection is accepted by the system, and served from here on.
  let held: HeldLock;
  try {
    const own = { pid: process.pid, port, token, version: options.version, startedMs: Date.now() };
    held = await HeldLock.take(runsFolder, own, greetServer, { isLooking });
  } catch (error) {
    web.close();
    web.closeAllConnections();
    throw error;
  }

  const listDevices = () => options.services.listDevices({ isAnew: false });
  const gpus = new TakenGpus();
  const work = { runsFolder, trainerFile: options.trainerFile, log, now: () => Date.now(), listDevices, gpus };
  const supervisor = new RunSupervisor(work);
  const sweeps = new SweepDesk({
    ...work,
    onRuns: () => {
      try {
        supervisor.refresh();
      } catch (error) {
        log(`${runsFolder} can't be read: ${(error as Error).message}`);
      }
    },
  });
  const batch = new BatchDesk({
    ...{ runsFolder, assetsFolder: path.dirname(options.trainerFile), log, now: () => Date.now() },
    given: options.schedulerSettings ?? {},
  });
  const { series } = options.services;
  const reader = new RunReader(series);
  const context = {
    serverVersion: options.version,
    runsFolder,
    supervisor,
    sweeps,
    batch,
    reader,
    services: options.services,
    isLooking,
    end: (reason: string) => void close(reason),
  };
  const sessions = new Set<Session>();
  let idleMs = 0;
  let patienceMs = Math.max(firstClientMs, options.idleMs);
  sockets.on('connection', (socket) => {
    const session = new Session(socket, context, log);
    sessions.add(session);
    patienceMs = options.idleMs;
    socket.on('close', () => {
      sessions.delete(session);
      idleMs = 0;
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
    series.forget(run).catch((error: unknown) => {
      log(`the series of ${run.id} are still there: ${String(error)}`);
    });
    for (const session of sessions) session.runDeleted(run);
  });

  const { promise: closed, resolve } = Promise.withResolvers<void>();
  let isClosing = false;
  const close = async (reason: string) => {
    if (isClosing) return closed;
    isClosing = true;
    log(`ends: ${reason}`);
    clearInterval(timer);
    await Promise.all([sweeps.close(`The server ended (${reason})`), supervisor.close(reason)]);
    for (const session of sessions) session.close();
    web.close();
    web.closeAllConnections();
    reader.close();
    await series.close();
    held.release();
    resolve();
    return closed;
  };
  const lookMs = Math.min(followMs, options.idleMs);
  let lookedMs = performance.now();
  const timer = setInterval(() => {
    // A server that was itself stopped for a while was not idle.
    idleMs += Math.min(2 * lookMs, performance.now() - lookedMs);
    lookedMs = performance.now();
    if (supervisor.isBusy || sweeps.isBusy || sessions.size > 0) idleMs = 0;
    try {
      supervisor.followOthers();
    } catch (error) {
      log(`${runsFolder} can't be read: ${(error as Error).message}`);
    }
    if (idleMs >= patienceMs) void close('no client and no work');
    else
      void held.keep().then((isOurs) => {
        if (!isOurs) void close('another server has taken its folder, and answers');
      });
  }, lookMs);
  return { lock: held.lock, closed, close };
}

function makeFolder(runsFolder: string): void {
  try {
    fs.mkdirSync(runsFolder, { recursive: true });
  } catch (error) {
    const isThere = fs.statSync(runsFolder, { throwIfNoEntry: false })?.isDirectory() === true;
    if (!isThere) throw storageError(runsFolder, error);
  }
}

/** The endpoint: who has the token comes in, everybody else costs little and harms nobody. */
function openDoor(token: string, log: (line: string) => void) {
  const limits = { headersTimeout: strangerMs, requestTimeout: strangerMs, maxHeaderSize: 8192 };
  const web = http.createServer({ ...limits, connectionsCheckingInterval: 1000 }, (_request, response) => {
    response
      .writeHead(426, { 'content-type': 'text/plain', connection: 'close' })
      .end('Kafscope speaks WebSocket here.\n');
  });
  const strangers = new Set<Duplex>();
  let nTurnedAway = 0;
  web.on('connection', (socket) => {
    // A reset comes as an error, at any moment.
    socket.on('error', () => {});
    socket.on('close', () => strangers.delete(socket));
    strangers.add(socket);
    if (strangers.size <= maxStrangers) return;
    // The one that has stood there longest: whoever has the token shows it at once.
    if (nTurnedAway++ % 1000 === 0) log(`strangers are turned away: more than ${String(maxStrangers)} are at the door`);
    for (const oldest of strangers) {
      strangers.delete(oldest);
      oldest.destroy();
      break;
    }
  });
  web.on('error', (error) => {
    log(`the endpoint: ${error.message}`);
  });
  web.on('clientError', (_error, socket) => {
    socket.destroy();
  });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxRequestBytes, perMessageDeflate: false });
  sockets.on('wsClientError', (_error, socket) => {
    socket.destroy();
  });
  web.on('upgrade', (request, stream, head) => {
    const refusal = refusalOf(request, token);
    if (refusal) {
      refuse(stream, refusal);
      return;
    }
    strangers.delete(stream);
    sockets.handleUpgrade(request, stream, head, (socket) => {
      sockets.emit('connection', socket, request);
    });
  });
  return { web, sockets };
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
  stream.once('finish', () => stream.destroy());
  stream.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${length}\r\n\r\n${text}`,
  );
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
