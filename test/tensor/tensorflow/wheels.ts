// Small wheels, and a Python whose pip hands them out: installing without a network.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import type { Wheel, WheelSet } from '../../../server/tensor/tensorflow/tensorflowWheels.ts';

/** A zip archive of these files, deflated. */
export function makeZip(files: Readonly<Record<string, string | Buffer>>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const content = Buffer.from(text);
    const deflated = deflateRawSync(content);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(deflated.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const entry = Buffer.alloc(16);
    entry.writeUInt32LE(0o100644 * 0x10000, 6);
    entry.writeUInt32LE(offset, 10);
    directory.push(signature(0x02014b50), Buffer.from([20, 3]), common, entry.subarray(0, 14), Buffer.from(name));
    const local = [signature(0x04034b50), common, Buffer.from(name), deflated];
    parts.push(...local);
    offset += local.reduce((sum, part) => sum + part.length, 0);
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(Object.keys(files).length, 4);
  end.writeUInt16LE(Object.keys(files).length, 6);
  end.writeUInt32LE(list.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, list, signature(0x06054b50), end]);
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export interface FakePip {
  readonly python: string;
  readonly set: WheelSet;
  /** The arguments of each call. */
  calls(): string[];
  /** In which each call ran. */
  folders(): string[];
}

export interface FakePipOptions {
  /** What `pip --version` and `pip download` do; shell commands, `$dest` being the folder to download into. */
  readonly version?: string;
  readonly download?: string;
}

/** Writes an executable into `folder` that answers `-m pip` as told; by default it downloads the archives. */
export function fakePip(
  folder: string,
  archives: Readonly<Record<string, Buffer>>,
  options: FakePipOptions = {},
): FakePip {
  const index = path.join(folder, 'index');
  fs.mkdirSync(index);
  const wheels = Object.entries(archives).map(([file, archive]): Wheel => {
    fs.writeFileSync(path.join(index, file), archive);
    const [name, version] = file.split('-') as [string, string];
    return { name: name.replaceAll('_', '-'), version, sha256: createHash('sha256').update(archive).digest('hex') };
  });
  const python = path.join(folder, 'python3');
  const log = path.join(folder, 'calls');
  fs.writeFileSync(
    python,
    `#!/bin/sh
echo "$*" >> '${log}'
pwd >> '${log}.folders'
if [ "$3" = --version ]; then ${options.version ?? 'exit 0'}; fi
while [ "$1" != --dest ]; do shift; done
dest=$2
${options.download ?? `cp '${index}'/* "$dest"`}
`,
    { mode: 0o755 },
  );
  return {
    python,
    set: { platformTags: ['manylinux_2_27_x86_64'], wheels, downloadBytes: 1000, unpackedBytes: 1000 },
    calls: () => fs.readFileSync(log, 'utf8').trimEnd().split('\n'),
    folders: () => fs.readFileSync(`${log}.folders`, 'utf8').trimEnd().split('\n'),
  };
}
