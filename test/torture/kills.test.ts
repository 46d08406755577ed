// kill −9 at random moments of trainers, of servers, and of both at once, with the real trainer as built: what was shown comes again as
// it was, no step is missing, and the run ends as one that was never killed. KAFSCOPE_TORTURE sets how many kills; a few in the suite.
import { spawn } from 'node:child_process';
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

const nKills = Number(process.env['KAFSCOPE_TORTURE'] ?? 6);
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

const serverFile = path.join(import.meta.dirname, '../../dist/server.cjs');

/** A server as VS Code starts it, and a client of it. */
interface Served {
  readonly process: ChildProcess;
  readonly client: TestClient;
}

async function serve(runsFolder: string): Promise<Served> {
  const args = ['--disable-warning=ExperimentalWarning', serverFile, '--runs', runsFolder];
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => {
    server.kill('SIGKILL');
  });
  await once(server.stdout, 'data'); // it says that it listens
  return { process: server, client: await freshClient(runsFolder) };
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
  it(`of trainers, servers and both takes back nothing that was shown (${String(nKills)} kills, seed ${String(seed)})`, async () => {
    const draw = random(seed);
    const reference = await wholeRun();
    const counts = { trainer: 0, server: 0, both: 0 };
    for (let kills = 0; kills < nKills;) {
      const runsFolder = temporaryFolder();
      let served = await serve(runsFolder);
      const { runs } = await served.client.request('run/start', { text: experiment, file: null });
      const { id, folder } = runs[0]!;
      const seen = new Map<string, string>();
      let shownStep = 0;
      for (let ofThisRun = 0; ; ofThisRun++) {
        const { client } = served;
        await client.request('run/subscribe', { runId: id, cursor: 0 });
        const stepNow = () =>
          client
            .rows(id)
            .reduce((last, { record }) => (record.type === 'step' ? Math.max(last, record.step) : last), 0);
        const isToEnd = ofThisRun >= killsARun || kills >= nKills;
        const target = isToEnd ? Infinity : shownStep + 1 + Math.floor(draw() * 14);
        const hasEnded = () => statusOf(client, id) === 'finished';
        await client.until(() => stepNow() >= target || hasEnded());
        for (const [key, value] of keyed(client.rows(id).map(({ record }) => record))) {
          expect(seen.get(key) ?? value, key).toBe(value);
          seen.set(key, value);
        }
        shownStep = Math.max(shownStep, stepNow());
        if (hasEnded()) break;
        const victim = (['trainer', 'server', 'both'] as const)[Math.floor(draw() * 3)]!;
        kills++;
        counts[victim]++;
        served = await killAndResume(served, victim, { runsFolder, folder, id, seen });
      }
      served.process.kill('SIGKILL');
      const records = readRows(folder).map(({ record }) => record);
      const steps = records.flatMap((record) => (record.type === 'step' ? [record.step] : []));
      expect(steps).toEqual(Array.from({ length: nSteps }, (_, index) => index + 1));
      expect(keyed(records)).toEqual(reference.records);
      for (const [key, value] of seen) expect(reference.records.get(key), key).toBe(value);
      expect(lastWeights(folder)).toEqual(reference.weights);
    }
    console.log(`kills: ${JSON.stringify(counts)}`);
  });
});

async function killAndResume(
  served: Served,
  victim: 'trainer' | 'server' | 'both',
  { runsFolder, folder, id, seen }: { runsFolder: string; folder: string; id: string; seen: Map<string, string> },
): Promise<Served> {
  const { pid } = readHead(folder, newestLog(folder))!.owner;
  if (victim !== 'server') kill(pid);
  if (victim !== 'trainer') {
    served.process.kill('SIGKILL');
    await once(served.process, 'exit');
  }
  const next = victim === 'trainer' ? served : await serve(runsFolder);
  let run = await find(next.client, id);
  while (isLive(run.status)) run = await find(next.client, id);
  if (run.status === 'finished') return next;
  // Rows that a client has seen are on the disk, whoever died.
  const kept = keyed(readRows(folder).map(({ record }) => record));
  for (const [key, value] of seen) expect(kept.get(key), key).toBe(value);
  const again = victim === 'trainer' ? await freshClient(runsFolder) : next.client;
  await again.request('run/resume', { runId: id });
  const log = newestLog(folder);
  while (newestLog(folder) === log && statusOf(again, id) !== 'failed')
    await new Promise((resolve) => setImmediate(resolve));
  return { process: next.process, client: again };
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
  const runsFolder = temporaryFolder();
  const { client, process: server } = await serve(runsFolder);
  const { runs } = await client.request('run/start', { text: experiment, file: null });
  const { id, folder } = runs[0]!;
  await client.untilStatus(id, 'finished');
  server.kill('SIGKILL');
  return { records: keyed(readRows(folder).map(({ record }) => record)), weights: lastWeights(folder) };
}

function lastWeights(folder: string) {
  const file = `step-${String(nSteps)}.safetensors`;
  expect(fs.readdirSync(checkpointsFolder(folder))).toContain(file);
  return readCheckpoint(path.join(checkpointsFolder(folder), file)).state;
}
