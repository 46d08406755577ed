// Checkpoints that a disk has changed in silence, and files that are none.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { readCheckpoint, verifyCheckpoint, writeCheckpoint } from '../../server/run/checkpointFile.ts';
import { openRegularFile } from '../../server/run/regularFile.ts';
import { BadCheckpointError, writeSafetensors } from '../../server/run/safetensors.ts';
import { scriptedPlan, scriptedState } from './scriptedTrainer.ts';
import { temporaryFolder } from './scriptedRun.ts';

const origin = { plan: scriptedPlan('steps'), runId: 'run', versions: { kafscope: '1' } };

function write(step = 1): string {
  const file = path.join(temporaryFolder(), 'x.safetensors');
  writeCheckpoint(file, scriptedState(step, 0), origin);
  return file;
}

/** Where the tensors' bytes begin. */
const dataStart = (bytes: Buffer) => 8 + Number(bytes.readBigUInt64LE());

function expectRefused(file: string, message: string = ''): void {
  for (const look of [readCheckpoint, verifyCheckpoint]) {
    let error: unknown = null;
    try {
      look(file);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(BadCheckpointError);
    expect((error as Error).message).toContain(message);
  }
}

describe('the digests of a checkpoint', () => {
  it('let an untouched one pass', () => {
    const file = write();
    expect(readCheckpoint(file)).toMatchObject({ state: scriptedState(1, 0), origin });
    expect(() => {
      verifyCheckpoint(file);
    }).not.toThrow();
  });

  it('leave no file open, whether they match or not', () => {
    const file = write();
    const damaged = write();
    fs.truncateSync(damaged, fs.statSync(damaged).size - 1);
    const foreign = path.join(temporaryFolder(), 'y.safetensors');
    writeSafetensors(foreign, new Map(), {});
    const opened = vi.spyOn(fs, 'openSync');
    const closed = vi.spyOn(fs, 'closeSync');
    try {
      verifyCheckpoint(file);
      for (const refused of [damaged, foreign]) expectRefused(refused);
      expect(opened).toHaveBeenCalledTimes(5);
      expect(closed).toHaveBeenCalledTimes(5);
    } finally {
      opened.mockRestore();
      closed.mockRestore();
    }
  });

  it('show any single flipped bit', () => {
    const file = write();
    const bytes = fs.readFileSync(file);
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const flipped = Buffer.from(bytes);
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        fs.writeFileSync(file, flipped);
        expectRefused(file);
      }),
      { seed: 8, numRuns: 300 },
    );
  });

  it('show a bit flipped in the names of the digests themselves, and in the padding', () => {
    const file = write();
    const bytes = fs.readFileSync(file);
    const places = ['"headerDigest"', '"digests"', '"format"'].flatMap((text) =>
      Array.from(text, (_, index) => bytes.indexOf(text) + index),
    );
    for (const place of [...places, dataStart(bytes) - 1]) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = Buffer.from(bytes);
        flipped[place]! ^= 1 << bit;
        fs.writeFileSync(file, flipped);
        expectRefused(file);
      }
    }
  });

  it('name the tensor whose bytes are not those written', () => {
    const file = write();
    const bytes = fs.readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    fs.writeFileSync(file, bytes);
    const last = [...scriptedState(1, 0).tensors.keys()].at(-1)!;
    expectRefused(
      file,
      `${file}: tensor "${last}" is damaged: its bytes do not match the digest written with it. Take an earlier checkpoint.`,
    );
  });

  it('are refused where they are no map of text, though the header is the one written', () => {
    for (const digests of ['', '{', '[]', '5', '{"x":1}']) {
      const metadata = { headerDigest: '0'.repeat(32), format: 'kafscope', digests };
      const json = Buffer.from(JSON.stringify({ __metadata__: metadata }));
      const bytes = Buffer.concat([Buffer.alloc(8), json]);
      bytes.writeBigUInt64LE(BigInt(json.length));
      const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
      bytes.write(digest, bytes.indexOf('0'.repeat(32)), 'latin1');
      const file = path.join(temporaryFolder(), 'x.safetensors');
      fs.writeFileSync(file, bytes);
      expectRefused(file, 'its header does not match the digest written with it');
    }
  });

  it("show another checkpoint's header before the same bytes", () => {
    const [file, other] = [write(1), write(2)];
    const [bytes, others] = [fs.readFileSync(file), fs.readFileSync(other)];
    fs.writeFileSync(file, Buffer.concat([others.subarray(0, dataStart(others)), bytes.subarray(dataStart(bytes))]));
    expectRefused(file, 'is damaged: its bytes do not match');
  });

  it('may be missing as a whole: an older Kafscope wrote none', () => {
    const file = write();
    const bytes = fs.readFileSync(file);
    const header = JSON.parse(bytes.subarray(8, dataStart(bytes)).toString()) as {
      __metadata__: Record<string, string>;
    };
    delete header.__metadata__['digests'];
    delete header.__metadata__['headerDigest'];
    const json = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    fs.writeFileSync(file, Buffer.concat([length, json, bytes.subarray(dataStart(bytes))]));
    expect(readCheckpoint(file).state).toEqual(scriptedState(1, 0));
  });
});

describe('the temporary file of a checkpoint', () => {
  it('is made exclusively under a name of its own', () => {
    const opened = vi.spyOn(fs, 'openSync');
    const files = [write(), write()];
    const temporaries = opened.mock.calls.filter(([name]) => String(name).endsWith('.tmp'));
    opened.mockRestore();
    expect(files).toHaveLength(2);
    expect(temporaries.map(([, flags]) => flags)).toEqual(['wx', 'wx']);
    const random = temporaries.map(([name]) => /\.safetensors\.\d+\.([0-9a-f]{16})\.tmp$/.exec(String(name))?.[1]);
    expect(new Set(random).size).toBe(2);
    expect(random).not.toContain(undefined);
  });
});

describe('a file to read', () => {
  it('is refused where it is a named pipe, a device, a socket or a folder, without waiting', async () => {
    const folder = temporaryFolder();
    const pipe = path.join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(() => openRegularFile(pipe)).toThrow(`${pipe} is a named pipe, no regular file. Name a file on a disk.`);
    expect(() => openRegularFile('/dev/zero')).toThrow('/dev/zero is a device, no regular file.');
    expect(() => openRegularFile(folder)).toThrow(`${folder} is a folder. Name a file in it.`);
    const socket = path.join(folder, 'socket');
    const server = net.createServer().listen(socket);
    await new Promise((resolve) => server.once('listening', resolve));
    expect(() => openRegularFile(socket)).toThrow(`${socket} is a socket`);
    server.close();
    expectRefused(pipe, 'is a named pipe');
  });

  it('that becomes a pipe between the look and the opening is refused too', () => {
    const pipe = path.join(temporaryFolder(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    const look = vi.spyOn(fs, 'statSync').mockReturnValueOnce(fs.statSync(import.meta.filename));
    const opened = vi.spyOn(fs, 'openSync');
    const closed = vi.spyOn(fs, 'closeSync');
    try {
      expect(() => openRegularFile(pipe)).toThrow('is a named pipe');
      expect(closed.mock.calls).toEqual([[opened.mock.results[0]!.value]]);
    } finally {
      for (const spy of [look, opened, closed]) spy.mockRestore();
    }
  });
});
