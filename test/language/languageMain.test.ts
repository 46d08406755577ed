// The real language server, bundled as it ships, in a process of its own over Node's IPC.
import esbuild from 'esbuild';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createMessageConnection, IPCMessageReader, IPCMessageWriter } from 'vscode-jsonrpc/node';
import type { MessageConnection } from 'vscode-jsonrpc/node';

const root = path.join(import.meta.dirname, '../..');
const uri = 'file:///projects/first.kaf.yaml';
let folder: string;
let child: ChildProcess;
let connection: MessageConnection;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-language-'));
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: { language: 'server/languageMain.ts' },
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    outdir: folder,
    define: { __KAFSCOPE_VERSION__: '"1.2.3"' },
  });
});

afterAll(() => fs.rmSync(folder, { recursive: true }));

async function start(): Promise<{ serverInfo: unknown; capabilities: Record<string, unknown> }> {
  child = fork(path.join(folder, 'language.cjs'), ['--node-ipc'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [],
  });
  connection = createMessageConnection(new IPCMessageReader(child), new IPCMessageWriter(child));
  connection.listen();
  const result = await connection.sendRequest('initialize', {
    processId: process.pid,
    rootUri: null,
    capabilities: {},
  });
  await connection.sendNotification('initialized', {});
  return result as Awaited<ReturnType<typeof start>>;
}

async function nextDiagnostics(): Promise<{ version: number; diagnostics: { message: string }[] }> {
  return await new Promise((resolve) => {
    const listening = connection.onNotification('textDocument/publishDiagnostics', (params) => {
      listening.dispose();
      resolve(params as Awaited<ReturnType<typeof nextDiagnostics>>);
    });
  });
}

async function open(text: string) {
  const diagnostics = nextDiagnostics();
  await connection.sendNotification('textDocument/didOpen', {
    textDocument: { uri, languageId: 'yaml', version: 1, text },
  });
  return await diagnostics;
}

afterEach(async () => {
  if (child.exitCode !== null) return;
  const exit = once(child, 'exit');
  child.kill();
  await exit;
  connection.dispose();
});

describe('the language server', () => {
  it('introduces itself with its version and what it can do', async () => {
    const { serverInfo, capabilities } = await start();
    expect(serverInfo).toEqual({ name: 'kafscope', version: '1.2.3' });
    expect(Object.keys(capabilities).sort()).toEqual([
      'codeActionProvider',
      'codeLensProvider',
      'completionProvider',
      'documentSymbolProvider',
      'hoverProvider',
      'renameProvider',
      'textDocumentSync',
    ]);
  });

  it('sends diagnostics when a file opens, on every change, and none when it closes', async () => {
    await start();
    expect((await open('sed: 1\n')).diagnostics.map(({ message }) => message)).toEqual([
      expect.stringContaining('Did you mean seed?'),
    ]);

    const afterChange = nextDiagnostics();
    const range = { start: { line: 0, character: 2 }, end: { line: 0, character: 2 } };
    await connection.sendNotification('textDocument/didChange', {
      textDocument: { uri, version: 2 },
      contentChanges: [{ range, text: 'e' }],
    });
    expect(await afterChange).toMatchObject({ uri, version: 2, diagnostics: [] });

    const afterClose = nextDiagnostics();
    await connection.sendNotification('textDocument/didClose', { textDocument: { uri } });
    expect((await afterClose).diagnostics).toEqual([]);
  });

  it('answers completion, hover, code lenses and quick fixes', async () => {
    await start();
    const { diagnostics } = await open('sed: 1\nruntime: \n');
    const textDocument = { uri };
    const items = await connection.sendRequest('textDocument/completion', {
      textDocument,
      position: { line: 1, character: 9 },
    });
    expect((items as { label: string }[]).map(({ label }) => label)).toEqual([
      'auto',
      'wasm',
      'torch',
      'tensorflow',
      'cpu',
    ]);
    const hover = await connection.sendRequest('textDocument/hover', {
      textDocument,
      position: { line: 1, character: 2 },
    });
    expect((hover as { contents: { value: string } }).contents.value).toContain('What computes the tensors.');
    const lenses = await connection.sendRequest('textDocument/codeLens', { textDocument });
    expect(lenses).toMatchObject([
      { command: { command: 'kafscope.train', arguments: [uri] } },
      { command: { title: 'Train one epoch' } },
      { command: { title: 'Find learning rate' } },
      { command: { title: 'Show dataset' } },
    ]);
    const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 3 } };
    const actions = await connection.sendRequest('textDocument/codeAction', {
      textDocument,
      range,
      context: { diagnostics },
    });
    expect(actions).toMatchObject([
      { title: 'Change to seed', edit: { changes: { [uri]: [{ range, newText: 'seed' }] } } },
    ]);
  });

  it('takes documents that are no files', async () => {
    await start();
    for (const strange of ['untitled:Untitled-1', 'file://host/a.kaf.yaml', 'file:///a%2Fb.kaf.yaml']) {
      const diagnostics = nextDiagnostics();
      const textDocument = { uri: strange, languageId: 'yaml', version: 1, text: 'dataset: {name: cifar10, path: x}' };
      await connection.sendNotification('textDocument/didOpen', { textDocument });
      expect(await diagnostics).toMatchObject({ uri: strange, diagnostics: [] });
    }
  });

  it('ends when it is told to', async () => {
    await start();
    await connection.sendRequest('shutdown');
    const exit = once(child, 'exit');
    await connection.sendNotification('exit');
    expect((await exit)[0]).toBe(0);
  });
});
