// kill −9 at random moments of trainers, of servers, of both at once, and of the extension host that shows the run, with the real trainer
// as built: what was shown comes again as it was, no step is missing, and the run ends as one that was never killed. KAFSCOPE_TORTURE sets
// how many kills; a few in the suite.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { encode } from '../../server/protocol/codec.ts';
import type { RunRecord } from '../../server/protocol/records.ts';
import { isLive } from '../../server/protocol/run.ts';
import type { RunSummary } from '../../server/protocol/run.ts';
import { readLock } from '../../server/rpc/lockFile.ts';
import { readCheckpoint } from '../../server/run/checkpointFile.ts';
import { newestLog, readHead } from '../../server/run/logFile.ts';
import { checkpointsFolder } from '../../server/run/runFolder.ts';
import { TestClient } from '../rpc/testClient.ts';
import { readRows, temporaryFolder } from '../run/scriptedRun.ts';
import type { FromHost } from './scriptedHostMain.ts';

const nKills = Number(process.env['KAFSCOPE_TORTURE'] ?? 8);
const victims = ['trainer', 'server', 'both', 'host'] as const;
type Victim = (typeof victims)[number];
const killsARun = 12;
const nSteps = 96;
const seed = Number(process.env['KAFSCOPE_TORTURE_SEED'] ?? 1);

const experiment = `
name: torture
runtime: wasm
threads: 1
dataset: { name: shapes, trainSamples: 48, testSamples: 8 }
model: { network: light, activation: { type: kaf, dictionary: 5 } }
training: { method: fgsm-rs, epochs: 8, batchSize: 4 }
observe: { robustSamples: 0, norms: 3, shapes: 10 }
`;

/** A window's extension host, which has started the server or found it. */
class Host {
  readonly process: ChildProcess;
  /** What it has shown, by what it is of. */
  readonly shown = new Map<string, string>();
  #nConnections = 0;
  #wake = Promise.withResolvers<void>();

  constructor(runsFolder: string, serverFolder: string) {
    this.process = fork(path.join(import.meta.dirname, 'scriptedHostMain.ts'), [runsFolder, serverFolder], {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    onTestFinished(() => {
      this.process.kill('SIGKILL');
    });
    this.process.on('message', (message: FromHost) => {
      if (message.type === 'connected') this.#nConnections++;
      else for (const [key, value] of keyed(message.rows.map(({ record }) => record))) this.#show(key, value);
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    });
  }

  follow(runId: string): void {
    this.process.send(runId);
  }

  async untilConnected(times: number): Promise<void> {
    while (this.#nConnections < times) await this.#wake.promise;
  }

  get nConnections(): number {
    return this.#nConnections;
  }

  async untilShown(keys: Iterable<string>): Promise<void> {
    for (const key of keys) while (!this.shown.has(key)) await this.#wake.promise;
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await once(this.process, 'close');
  }

  #show(key: string, value: string): void {
    expect(this.shown.get(key) ?? value, key).toBe(value);
    this.shown.set(key, value);
  }
}

/** A window, its server, and a client of the test's own. */
interface Served {
  readonly runsFolder: string;
  readonly serverFolder: string;
  readonly host: Host;
  readonly client: TestClient;
  /** The run was found finished by a client that is too new to have been told so. */
  readonly isOver?: boolean;
}

async function serve(): Promise<Served> {
  const [runsFolder, serverFolder] = [temporaryFolder(), temporaryFolder()];
  const host = new Host(runsFolder, serverFolder);
  await host.untilConnected(1);
  onTestFinished(() => {
    const lock = readLock(runsFolder);
    if (lock) kill(lock.pid);
  });
  return { runsFolder, serverFolder, host, client: await freshClient(runsFolder) };
}

function random(start: number): () => number {
  let state = start;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

/** What of a run the moment of an interruption does not change. */
function keyOf(record: RunRecord): string | null {
  if (record.type === 'checkpointed' || record.type === 'prepared') return null;
  return `${record.type} ${'step' in record ? String(record.step) : ''}`;
}

/** 0 where the record is of no step. */
function stepOf(key: string): number {
  return Number(key.split(' ')[1] ?? 0);
}

function keyed(records: readonly RunRecord[]): Map<string, string> {
  return new Map(
    records.flatMap((record) => {
      const key = keyOf(record);
      return key === null ? [] : [[key, Buffer.from(encode(record)).toString('base64')] as const];
    }),
  );
}

/** A guard against hanging, no bound on the work. */
const guardMs = 3_600_000;

describe('kill −9', { timeout: guardMs }, () => {
  it(`of trainers, servers, both and the extension host takes back nothing that was shown (${String(nKills)} kills, seed ${String(seed)})`, async () => {
    const draw = random(seed);
    const reference = await wholeRun();
    const counts: Partial<Record<Victim, number>> = {};
    let toCome: Victim[] = [];
    for (let kills = 0; kills < nKills;) {
      let served = await serve();
      const { runs } = await served.client.request('run/start', { text: experiment, file: null });
      const { id, folder } = runs[0]!;
      served.host.follow(id);
      const seen = new Map<string, string>();
      let shownStep = 0;
      for (let ofThisRun = 0; ; ofThisRun++) {
        const { client, host } = served;
        await client.request('run/subscribe', { runId: id, cursor: 0 });
        const isToEnd = ofThisRun >= killsARun || kills >= nKills;
        const target = isToEnd ? Infinity : shownStep + 1 + Math.floor(draw() * 14);
        const hasEnded = () => served.isOver === true || statusOf(client, id) === 'finished';
        await client.until(() => lastStep(client, id) >= target || hasEnded());
        const heard = keyed(client.rows(id).map(({ record }) => record));
        for (const [key, value] of [...heard, ...host.shown]) {
          expect(seen.get(key) ?? value, key).toBe(value);
          seen.set(key, value);
        }
        // The host may have been told more than the client: what it has shown comes again, too, before the next kill.
        shownStep = Math.max(shownStep, lastStep(client, id), ...[...seen.keys()].map(stepOf));
        if (hasEnded()) break;
        // In any four kills each once, in an order of chance.
        if (toCome.length === 0) toCome = [...victims];
        const [victim] = toCome.splice(Math.floor(draw() * toCome.length), 1) as [Victim];
        kills++;
        counts[victim] = (counts[victim] ?? 0) + 1;
        const run = { folder, id, seen };
        served = await (victim === 'host' ? killHost(served, run) : killAndResume(served, victim, run));
      }
      // Whoever came back to it by itself has missed nothing either.
      await served.host.untilShown(reference.records.keys());
      expect(served.host.shown).toEqual(reference.records);
      await end(served);
      const records = readRows(folder).map(({ record }) => record);
      const steps = records.flatMap((record) => (record.type === 'step' ? [record.step] : []));
      expect(steps).toEqual(Array.from({ length: nSteps }, (_, index) => index + 1));
      expect(keyed(records)).toEqual(reference.records);
      for (const [key, value] of seen) expect(reference.records.get(key), key).toBe(value);
      expect(lastWeights(folder)).toEqual(reference.weights);
    }
    console.log(`kills: ${JSON.stringify(counts)}`);
    if (nKills >= victims.length) expect(Object.keys(counts)).toHaveLength(victims.length);
  });
});

interface Run {
  readonly folder: string;
  readonly id: string;
  /** By any client. */
  readonly seen: ReadonlyMap<string, string>;
}

/** The server goes on, and the run with it; the next host shows all that its forerunner had. */
async function killHost(served: Served, { id, seen }: Run): Promise<Served> {
  const { runsFolder, serverFolder, host, client } = served;
  const { token } = readLock(runsFolder)!;
  await host.kill();
  const step = lastStep(client, id);
  const next = new Host(runsFolder, serverFolder);
  await next.untilConnected(1);
  next.follow(id);
  await next.untilShown(seen.keys());
  for (const [key, value] of seen) expect(next.shown.get(key), key).toBe(value);
  await client.until(() => lastStep(client, id) > step || statusOf(client, id) === 'finished');
  expect(readLock(runsFolder)?.token).toBe(token);
  return { ...served, host: next };
}

async function killAndResume(
  served: Served,
  victim: Exclude<Victim, 'host'>,
  { folder, id, seen }: Run,
): Promise<Served> {
  const { runsFolder, host } = served;
  const { pid } = readHead(folder, newestLog(folder))!.owner;
  if (victim !== 'server') kill(pid);
  if (victim !== 'trainer') {
    const { nConnections } = host;
    kill(readLock(runsFolder)!.pid);
    // The host starts another one by itself.
    await host.untilConnected(nConnections + 1);
  }
  const looker = victim === 'trainer' ? served.client : await freshClient(runsFolder);
  let run = await find(looker, id);
  while (isLive(run.status)) run = await find(looker, id);
  if (run.status === 'finished') return { ...served, client: looker, isOver: true };
  // Rows that a client has seen are on the disk, whoever died.
  const kept = keyed(readRows(folder).map(({ record }) => record));
  for (const [key, value] of seen) expect(kept.get(key), key).toBe(value);
  const again = victim === 'trainer' ? await freshClient(runsFolder) : looker;
  await again.request('run/resume', { runId: id });
  const log = newestLog(folder);
  while (newestLog(folder) === log && statusOf(again, id) !== 'failed')
    await new Promise((resolve) => setImmediate(resolve));
  return { ...served, client: again };
}

/** First the host, which would start another server. */
async function end({ runsFolder, host, client }: Served): Promise<void> {
  await host.kill();
  const closed = once(client.socket, 'close');
  kill(readLock(runsFolder)!.pid);
  await closed;
}

function lastStep(client: TestClient, id: string): number {
  return client.rows(id).reduce((last, { record }) => (record.type === 'step' ? Math.max(last, record.step) : last), 0);
}

/** What an earlier client heard belongs to an earlier life of the run. */
function freshClient(runsFolder: string): Promise<TestClient> {
  return TestClient.connect(readLock(runsFolder)!);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it had just ended
  }
}

async function find(client: TestClient, id: string): Promise<RunSummary> {
  return (await client.request('run/list', {})).runs.find((run) => run.id === id)!;
}

function statusOf(client: TestClient, id: string): string | undefined {
  return client.heard
    .flatMap((heard) => (heard.method === 'run/changed' && heard.params.run.id === id ? [heard.params.run.status] : []))
    .at(-1);
}

async function wholeRun() {
  const served = await serve();
  const { runs } = await served.client.request('run/start', { text: experiment, file: null });
  const { id, folder } = runs[0]!;
  await served.client.untilStatus(id, 'finished');
  await end(served);
  return { records: keyed(readRows(folder).map(({ record }) => record)), weights: lastWeights(folder) };
}

function lastWeights(folder: string) {
  const file = `step-${String(nSteps)}.safetensors`;
  expect(fs.readdirSync(checkpointsFolder(folder))).toContain(file);
  return readCheckpoint(path.join(checkpointsFolder(folder), file)).state;
}
