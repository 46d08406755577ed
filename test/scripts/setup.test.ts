import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { serve } from '../../scripts/codeServer.mjs';
import { checkMachine, findChromium, run, SetupError } from '../../scripts/install.mjs';
import { supportedNode } from '../../scripts/node24.mjs';
import { kafscope } from '../terminal/kafscope.ts';

const scripts = path.join(import.meta.dirname, '../../scripts');

describe('setting up a machine', () => {
  it('a Node that is too old, or a disk that is full, is named before anything is installed', () => {
    expect(() => checkMachine({ nodeVersion: '18.20.1' })).toThrow('need Node 20 or newer, this is 18.20.1');
    expect(() => checkMachine({ freeBytes: 2 ** 30 })).toThrow(
      /Only 1\.0 GiB are free .* make room for at least 2 GiB/,
    );
    expect(() => checkMachine({ freeBytes: 3 * 2 ** 30 })).not.toThrow();
  });

  it('a missing Chromium is named with what to install', async () => {
    const missing = findChromium({ paths: ['/nowhere/chromium'], canInstall: false });
    await expect(missing).rejects.toThrow(/need Chromium or Chrome\. Install one .* KAFSCOPE_CHROMIUM/);
  });

  it('a port that is taken is named with what to do', async () => {
    const other = net.createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as net.AddressInfo;
    const state = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-setup-'));
    try {
      await expect(serve(state, { folder: state, port })).rejects.toThrow(
        `Port ${String(port)} of 127.0.0.1 is taken. Choose another with --port`,
      );
    } finally {
      other.close();
      fs.rmSync(state, { recursive: true });
    }
  });

  it('a command that fails is named with its exit code', async () => {
    const failing = run(process.execPath, ['-e', 'process.exit(3)'], { stdio: 'ignore' });
    await expect(failing).rejects.toThrow(SetupError);
    await expect(failing).rejects.toThrow('ended with exit code 3');
  });

  it('a Node that is too old is named with what to do on this platform', () => {
    expect(() => supportedNode({ version: '20.19.0', platform: 'win32', arch: 'x64' })).toThrow(
      'Kafscope needs Node 22.13 or newer, this is 20.19.0. Run "npm ci", which brings one, or install a newer one.',
    );
    expect(() => supportedNode({ version: '22.12.0', platform: 'darwin', arch: 'arm64' })).toThrow(
      'this is 22.12.0. Install a newer one, from nodejs.org or with a package manager.',
    );
    expect(supportedNode({ version: '22.13.0', platform: 'darwin', arch: 'arm64' })).toBe(process.execPath);
  });

  it.each(['kafscope', 'node24'])(
    'a Node that can’t be started is one sentence of %s, without a stack',
    async (name) => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-setup-'));
      try {
        const node = path.join(folder, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
        for (const file of [node, path.join(folder, 'dist/cli.cjs'), path.join(folder, 'scripts/kafscope.mjs')]) {
          fs.mkdirSync(path.dirname(file), { recursive: true });
          fs.writeFileSync(file, 'no program');
        }
        for (const script of ['kafscope.mjs', 'node24.mjs']) {
          fs.copyFileSync(path.join(scripts, script), path.join(folder, 'scripts', script));
        }
        const script = path.join(folder, 'scripts', `${name}.mjs`);
        const { code, errors } = await kafscope(['doctor'], { cwd: folder, script });
        expect(code).toBe(1);
        expect(errors).toMatch(/^(kafscope: )?\S+node can't be started: .+\. Run "npm ci" to install it again\.\n$/);
      } finally {
        fs.rmSync(folder, { recursive: true });
      }
    },
  );
});
