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
import { serveLanguage } from '../../server/language/serveLanguage.ts';

const uri = 'file:///projects/a.kaf.yaml';
const sweep = `matrix: {seed: [${Array.from({ length: 200 }, (_, seed) => seed).join(', ')}]}\n`;

async function open(text: string) {
  const [up, down] = [new PassThrough(), new PassThrough()];
  serveLanguage(createConnection(new StreamMessageReader(up), new StreamMessageWriter(down)), { homeFolder: '/' });
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
