import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DataError } from '../../server/data/dataError.ts';
import { downloadCifar10 } from '../../server/data/downloadCifar10.ts';

const files = {
  'cifar-10-batches-bin/data_batch_1.bin': noise(100_000),
  'cifar-10-batches-bin/batches.meta.txt': Buffer.from('airplane\n'),
  'cifar-10-batches-bin/readme.html': Buffer.from('<html>'),
  'cifar-10-batches-bin/test_batch.bin': noise(512),
};
const archive = gzipSync(makeTar(files), { level: 0 });
const md5 = createHash('md5').update(archive).digest('hex');
const limits = { maxBytes: archive.length, maxUnpackedBytes: 2 * archive.length };
const part = 'cifar-10-binary.tar.gz.part';

let folder: string;
let server: Server;
let url: string;
let respond: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'kafscope-download-'));
  respond = serveRanges;
  server = createServer((request, response) => respond(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/cifar.tar.gz`;
});

afterEach(async () => {
  vi.useRealTimers();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

describe('downloadCifar10', () => {
  it('downloads, verifies and unpacks the batches, and leaves nothing else behind', async () => {
    const progress: (number | null)[][] = [];
    await download({ onProgress: (...report) => progress.push(report) });
    expect((await readdir(folder)).sort()).toEqual(['batches.meta.txt', 'data_batch_1.bin', 'test_batch.bin']);
    expect(await readFile(path.join(folder, 'data_batch_1.bin'))).toEqual(
      files['cifar-10-batches-bin/data_batch_1.bin'],
    );
    expect(await readFile(path.join(folder, 'test_batch.bin'))).toEqual(files['cifar-10-batches-bin/test_batch.bin']);
    expect(progress.at(-1)).toEqual([archive.length, archive.length]);
  });

  it('goes on where a broken connection left it', async () => {
    respond = (_request, response) => {
      response.writeHead(200, { 'content-length': archive.length });
      response.write(archive.subarray(0, 40_000));
      // A connection that breaks at once may take with it what was on its way.
      void untilOnDisk(1).then(() => response.destroy());
    };
    const failed = download();
    await expect(failed).rejects.toThrow(DataError);
    await expect(failed).rejects.toThrow('broke off after');
    const { size } = await stat(path.join(folder, part));
    expect(size).toBeGreaterThan(0);
    const ranges: (string | undefined)[] = [];
    respond = (request, response) => {
      ranges.push(request.headers.range);
      serveRanges(request, response);
    };
    await download();
    expect(ranges).toEqual([`bytes=${size}-`]);
    expect(await readdir(folder)).toContain('test_batch.bin');
  });

  it('starts again where the server knows no ranges', async () => {
    await writeFile(path.join(folder, part), 'old');
    respond = (_request, response) => response.end(archive);
    await download();
    expect(await readdir(folder)).toContain('test_batch.bin');
  });

  it('asks for nothing more when all is there, only not unpacked', async () => {
    await writeFile(path.join(folder, part), archive);
    await download();
    expect(await readdir(folder)).toContain('test_batch.bin');
  });

  it('deletes what has another checksum, naming both', async () => {
    await writeFile(path.join(folder, part), 'x');
    const failed = download();
    await expect(failed).rejects.toThrow(`instead of ${md5}. It was deleted`);
    expect(await readdir(folder)).toEqual([]);
  });

  it('says what the server answered', async () => {
    respond = (_request, response) => response.writeHead(404).end();
    await expect(download()).rejects.toThrow(`${url} answered 404 Not Found`);
  });

  it('cuts off a server that sends more than the archive has', async () => {
    respond = (_request, response) => response.end(Buffer.concat([archive, archive]));
    await expect(download()).rejects.toThrow(`sends more than the ${archive.length} bytes`);
    expect((await stat(path.join(folder, part))).size).toBeLessThanOrEqual(archive.length);
  });

  it('unpacks no more than the batches have', async () => {
    const tight = download({ archive: { url, md5, ...limits, maxUnpackedBytes: 50_000 } });
    await expect(tight).rejects.toThrow('unpacks to more than 50000 bytes');
  });

  it('ends where no byte comes for a minute, keeping what has come', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let answer: ServerResponse | undefined;
    respond = (_request, response) => {
      answer = response.writeHead(200, { 'content-length': archive.length });
      response.write(archive.subarray(0, 10_000));
    };
    const failed = download().catch((error: unknown) => error);
    await untilOnDisk(10_000);
    // A minute after the last byte, not after the first.
    for (const from of [10_000, 20_000, 30_000]) {
      vi.advanceTimersByTime(59_999);
      answer?.write(archive.subarray(from, from + 10_000));
      expect(await Promise.race([untilOnDisk(from + 10_000), failed])).toBeUndefined();
    }
    vi.advanceTimersByTime(60_000);
    expect(await failed).toMatchObject({
      message: expect.stringContaining('sent nothing for 60 s. What has arrived is kept') as string,
    });
    expect((await stat(path.join(folder, part))).size).toBe(40_000);
  });

  it('follows a redirect on this machine, and none to an address that is not encrypted', async () => {
    respond = (request, response) => {
      if (request.url === '/there') serveRanges(request, response);
      else response.writeHead(302, { location: '/there' }).end();
    };
    await download();
    expect(await readdir(folder)).toContain('test_batch.bin');
    respond = (_request, response) => response.writeHead(302, { location: 'http://192.0.2.1/x' }).end();
    await expect(download()).rejects.toThrow('leads to http://192.0.2.1/x, which is not https');
    respond = (_request, response) => response.writeHead(302, { location: '/again' }).end();
    await expect(download()).rejects.toThrow('more than 5 times');
  });

  it('writes through no link', async () => {
    const outside = path.join(folder, 'outside');
    await writeFile(outside, 'mine');
    await symlink(outside, path.join(folder, 'test_batch.bin.part'));
    await download();
    await symlink(outside, path.join(folder, part));
    await expect(download()).rejects.toThrow('is no plain file');
    expect(await readFile(outside, 'utf8')).toBe('mine');
  });

  it('stops when asked, keeping what has come', async () => {
    const controller = new AbortController();
    respond = (_request, response) => {
      response.writeHead(200, { 'content-length': archive.length });
      response.write(archive.subarray(0, 40_000));
    };
    const stopped = download({ signal: controller.signal, onProgress: () => controller.abort() });
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    expect(await readdir(folder)).toEqual([part]);
  });
});

async function download(options: Partial<Parameters<typeof downloadCifar10>[1]> = {}): Promise<void> {
  const { signal } = new AbortController();
  await downloadCifar10(folder, { signal, onProgress: () => undefined, archive: { url, md5, ...limits }, ...options });
}

/** Settles once so many bytes have arrived and are written. */
async function untilOnDisk(sizeBytes: number): Promise<void> {
  const size = async () => (await stat(path.join(folder, part)).catch(() => null))?.size ?? 0;
  while ((await size()) < sizeBytes);
}

function serveRanges({ headers: { range } }: IncomingMessage, response: ServerResponse): void {
  const first = range ? Number(/bytes=(\d+)-/.exec(range)![1]) : 0;
  if (first >= archive.length) {
    response.writeHead(416).end();
    return;
  }
  response.writeHead(range ? 206 : 200, { 'content-length': archive.length - first });
  response.end(archive.subarray(first));
}

/** Bytes that no compression shortens. */
function noise(count: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: count }, (_, index) => (index * 2_654_435_761) >>> 24));
}

function makeTar(contents: Readonly<Record<string, Buffer>>): Buffer {
  const blocks: Buffer[] = [header('cifar-10-batches-bin/', 0, '5')];
  for (const [name, content] of Object.entries(contents)) {
    blocks.push(header(name, content.length, '0'), content, Buffer.alloc((512 - (content.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function header(name: string, size: number, type: string): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write(size.toString(8).padStart(11, '0'), 124);
  block.write(type, 156);
  block.write('ustar', 257);
  return block;
}
