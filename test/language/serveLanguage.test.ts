// Who is told what of a text that changes, with both ends of the connection in this process.
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import {
  CancellationTokenSource,
  createMessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node';
import { createConnection } from 'vscode-languageserver/node';
import type { Disk } from '../../server/language/disk.ts';
import { serveLanguage } from '../../server/language/serveLanguage.ts';

const uri = 'file:///projects/a.kaf.yaml';
const sweep = `matrix: {seed: [${Array.from({ length: 200 }, (_, seed) => seed).join(', ')}]}\n`;

/** Has what a test puts there. */
function fakeDisk() {
  const there = new Set<string>();
  const waits = new Map<string, () => void>();
  const disk: Disk = {
    exists: (path) => there.has(path),
    watch: (path, onChange) => {
      waits.set(path, onChange);
      return () => waits.delete(path);
    },
  };
  return { there, waits, disk };
}

async function open(text: string, { disk } = fakeDisk()) {
  const [up, down] = [new PassThrough(), new PassThrough()];
  serveLanguage(createConnection(new StreamMessageReader(up), new StreamMessageWriter(down)), {
    homeFolder: '/',
    disk,
  });
  const client = createMessageConnection(new StreamMessageReader(down), new StreamMessageWriter(up));
  const told: [version: number | undefined, count: number][] = [];
  client.onNotification('textDocument/publishDiagnostics', (params: { version?: number; diagnostics: unknown[] }) => {
    told.push([params.version, params.diagnostics.length]);
  });
  client.listen();
  await client.sendRequest('initialize', { processId: null, rootUri: null, capabilities: {} });
  await client.sendNotification('textDocument/didOpen', {
    textDocument: { uri, languageId: 'yaml', version: 1, text },
  });
  const change = (version: number, changed: string) =>
    client.sendNotification('textDocument/didChange', {
      textDocument: { uri, version },
      contentChanges: [{ text: changed }],
    });
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await new Promise(setImmediate);
  };
  return { client, told, change, until };
}

it('a newer text ends the look at the one before, whose mistakes are told no more', async () => {
  const { told, change, until } = await open(`${sweep}sed: 1`);
  await change(2, `${sweep}sed: 2`);
  await change(3, 'sed: 3');
  await until(() => told.length > 0);
  expect(told).toEqual([[3, 1]]);
});

it('others are answered while the mistakes of a large sweep are looked for', async () => {
  const { client, told, until } = await open(`${sweep}sed: 1`);
  const position = { line: 1, character: 1 };
  expect(await client.sendRequest('textDocument/completion', { textDocument: { uri }, position })).toBeTruthy();
  expect(told).toEqual([]);
  await until(() => told.length > 0);
  expect(told).toEqual([[1, 1]]);
});

it('of a document that is closed nothing is told but that it has no mistakes', async () => {
  const { client, told, until } = await open(`${sweep}sed: 1`);
  await client.sendNotification('textDocument/didClose', { textDocument: { uri } });
  await until(() => told.length > 0);
  for (let turn = 0; turn < 300; turn++) await new Promise(setImmediate);
  expect(told).toEqual([[1, 0]]);
});

it('code lenses that are not wanted any more are not counted to the end', async () => {
  const { client } = await open(sweep);
  const source = new CancellationTokenSource();
  const lenses = client.sendRequest('textDocument/codeLens', { textDocument: { uri } }, source.token);
  source.cancel();
  expect(await lenses).toBeNull();
});

it('missing data is looked for once the workspace is trusted, and again until it is there', async () => {
  const disk = fakeDisk();
  const { client, told, until } = await open('dataset: mnist', disk);
  await until(() => told.length > 0);
  expect(told).toEqual([[1, 0]]);
  expect(disk.waits.size).toBe(0);
  await client.sendNotification('kafscope/trusted');
  await until(() => told.length > 1);
  expect(told[1]).toEqual([1, 1]);
  const [[place, look]] = [...disk.waits] as [[string, () => void]];
  disk.there.add(place);
  look();
  await until(() => told.length > 2);
  expect(told[2]).toEqual([1, 0]);
  expect(disk.waits.size).toBe(0);
});

it('nobody waits for the data of a document that is closed', async () => {
  const disk = fakeDisk();
  const { client, until } = await open('dataset: mnist', disk);
  await client.sendNotification('kafscope/trusted');
  await until(() => disk.waits.size > 0);
  await client.sendNotification('textDocument/didClose', { textDocument: { uri } });
  await until(() => disk.waits.size === 0);
});

it('writes where the data lies', async () => {
  const { client } = await open('');
  const asked = { text: 'dataset: {name: mnist, path: a}', path: '/b' };
  expect(await client.sendRequest('kafscope/dataPath', asked)).toBe('dataset: {name: mnist, path: /b}');
});
