import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { crc32, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DataError } from '../../server/data/dataError.ts';
import { downloadDataset, type DownloadOptions } from '../../server/data/download.ts';
import type { DownloadFile } from '../../server/protocol/datasets.ts';

const files = {
  'cifar-10-batches-bin/data_batch_1.bin': noise(100_000),
  'cifar-10-batches-bin/batches.meta.txt': Buffer.from('airplane\n'),
  'cifar-10-batches-bin/readme.html': Buffer.from('<html>'),
  'cifar-10-batches-bin/test_batch.bin': noise(512),
};
const archive = gzipSync(makeTar(files), { level: 0 });
const md5 = createHash('md5').update(archive).digest('hex');
const keep = ['data_batch_1.bin', 'test_batch.bin', 'batches.meta.txt'];
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

describe('downloadDataset', () => {
  it('downloads, verifies and unpacks the batches, and leaves nothing else behind', async () => {
    const progress: unknown[][] = [];
    await download({ onProgress: (...report) => progress.push(report) });
    expect((await readdir(folder)).sort()).toEqual(['batches.meta.txt', 'data_batch_1.bin', 'test_batch.bin']);
    expect(await readFile(path.join(folder, 'data_batch_1.bin'))).toEqual(
      files['cifar-10-batches-bin/data_batch_1.bin'],
    );
    expect(await readFile(path.join(folder, 'test_batch.bin'))).toEqual(files['cifar-10-batches-bin/test_batch.bin']);
    expect(progress.at(-1)).toEqual([archive.length, archive.length, 'cifar-10-binary.tar.gz']);
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
    const tight = download({}, { unpack: { form: 'tar.gz', keep, maxBytes: 50_000 } });
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

  it('takes the named file out of a zip archive, and says when it is not there or the archive is none', async () => {
    const zip = makeZip('some/folder/rows.txt', Buffer.from('1 2 3\n'));
    respond = (_request, response) => response.end(zip);
    const unpack = { form: 'zip', keep: ['rows.txt'], maxBytes: 100 } as const;
    await download({}, { checksum: null, unpack, name: 'rows.zip' });
    expect(await readdir(folder)).toEqual(['rows.txt']);
    expect(await readFile(path.join(folder, 'rows.txt'), 'utf8')).toBe('1 2 3\n');
    await expect(download({}, { checksum: null, unpack: { ...unpack, maxBytes: 5 } })).rejects.toThrow(
      'unpacks to more than 5 bytes',
    );
    await expect(download({}, { checksum: null, unpack: { ...unpack, keep: ['other.txt'] } })).rejects.toThrow(
      'has no other.txt in it',
    );
    respond = (_request, response) => response.end('no archive');
    await expect(download({}, { checksum: null, unpack, name: 'bad.zip' })).rejects.toThrow("can't be unpacked");
  });

  it('fetches several files, and none again that is whole', async () => {
    const asked: (string | undefined)[] = [];
    respond = (request, response) => {
      asked.push(request.url);
      response.end(`content of ${request.url}`);
    };
    const one = (name: string) => {
      const hex = createHash('sha256').update(`content of /${name}`).digest('hex');
      return fileOf({ name, url: new URL(name, url).href, checksum: { algorithm: 'sha256', hex }, unpack: null });
    };
    const fetched = { sizeText: '', files: [one('a.gz'), one('b.gz')] };
    const options = { signal: new AbortController().signal, onProgress: () => undefined };
    await downloadDataset(fetched, folder, options);
    expect((await readdir(folder)).sort()).toEqual(['a.gz', 'b.gz']);
    await writeFile(path.join(folder, 'b.gz'), 'damaged');
    await downloadDataset(fetched, folder, options);
    expect(asked).toEqual(['/a.gz', '/b.gz', '/b.gz']);
    expect(await readFile(path.join(folder, 'b.gz'), 'utf8')).toBe('content of /b.gz');
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

function fileOf(changes: Partial<DownloadFile> = {}): DownloadFile {
  return {
    ...{ url, name: 'cifar-10-binary.tar.gz', maxBytes: archive.length },
    checksum: { algorithm: 'md5', hex: md5 },
    unpack: { form: 'tar.gz', keep, maxBytes: 2 * archive.length },
    ...changes,
  };
}

async function download(options: Partial<DownloadOptions> = {}, changes: Partial<DownloadFile> = {}): Promise<void> {
  const { signal } = new AbortController();
  const fetched = { sizeText: '', files: [fileOf(changes)] };
  await downloadDataset(fetched, folder, { signal, onProgress: () => undefined, ...options });
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

/** One file, stored, after PKWARE's APPNOTE 4.3. */
function makeZip(name: string, content: Buffer): Buffer {
  const about = Buffer.alloc(26);
  about.writeUInt16LE(20, 0);
  about.writeUInt32LE(crc32(content), 10);
  about.writeUInt32LE(content.length, 14);
  about.writeUInt32LE(content.length, 18);
  about.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), about, Buffer.from(name), content]);
  const central = Buffer.concat([
    ...[Buffer.from('PK\u0001\u0002'), Buffer.from([20, 0]), about, Buffer.alloc(14), Buffer.from(name)],
  ]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, central, Buffer.from('PK\u0005\u0006'), end]);
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
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
