import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { serve } from '../../scripts/codeServer.mjs';
import { checkMachine, findChromium, run, SetupError } from '../../scripts/install.mjs';

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
});
