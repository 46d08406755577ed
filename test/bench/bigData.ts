// Data sets that are too large to hold, made on the spot: pictures by class folder, a table, and an archive of NumPy's arrays.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import type Vips from 'wasm-vips';

/** Ten classes of noise around a colour of their own, 64×64, as JPEG. */
export async function makePictures(folder: string, count: number, assetsFolder: string): Promise<void> {
  const file = path.join(assetsFolder, 'vips/vips-node.cjs');
  const vips = await (createRequire(file)(file) as typeof Vips)({ dynamicLibraries: [] });
  vips.concurrency(1);
  const noise = vips.Image.gaussnoise(64, 64, { mean: 0, sigma: 20 });
  for (let label = 0; label < 10; label++) fs.mkdirSync(path.join(folder, `class${label}`), { recursive: true });
  for (let index = 0; index < count; index++) {
    const label = index % 10;
    const shades = [25 * label, 255 - 25 * label, (index * 37) % 256].map((shade) => noise.add(shade).cast('uchar'));
    const picture = shades[0]!.bandjoin(shades.slice(1)).copy({ interpretation: 'srgb' });
    fs.writeFileSync(path.join(folder, `class${label}`, `${index}.jpg`), picture.writeToBuffer('.jpg'));
    picture.delete();
    for (const shade of shades) shade.delete();
  }
  vips.shutdown();
}

/** Two classes, told apart by the sum of the columns. */
export function makeTable(file: string, nRows: number): void {
  const descriptor = fs.openSync(file, 'w');
  fs.writeSync(descriptor, `label,${Array.from({ length: 18 }, (_, column) => `f${column}`).join(',')}\n`);
  let state = 1;
  for (let first = 0; first < nRows; first += 1000) {
    const lines = Array.from({ length: 1000 }, () => {
      const values = Array.from({ length: 18 }, () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state / 2 ** 31 - 1;
      });
      const sum = values.reduce((total, value) => total + value, 0);
      return `${sum > 0 ? 1 : 0},${values.map((value) => value.toExponential(9)).join(',')}\n`;
    });
    fs.writeSync(descriptor, lines.join(''));
  }
  fs.closeSync(descriptor);
}

/** Pictures of ten classes, told apart by their first value, as `x_train` and `y_train`: an .npz as numpy.savez writes it. */
export function makeArrays(file: string, count: number, size: number): void {
  const labels = Buffer.alloc(8 * count);
  const values = Buffer.alloc(count * size * size * 3);
  let state = 1;
  for (let at = 0; at < values.length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    values[at] = state >>> 24;
  }
  for (let index = 0; index < count; index++) {
    values[index * size * size * 3] = 25 * (index % 10);
    labels.writeBigInt64LE(BigInt(index % 10), 8 * index);
  }
  writeArchive(file, [
    { name: 'x_train.npy', head: npyHead('|u1', `${count}, ${size}, ${size}, 3`), values },
    { name: 'y_train.npy', head: npyHead('<i8', `${count},`), values: labels },
  ]);
}

function npyHead(type: string, shape: string): Buffer {
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape}), }`;
  const padded = `${text.padEnd(64 * Math.ceil((text.length + 11) / 64) - 11)}\n`;
  const head = Buffer.from(`\u0093NUMPY\u0001\u0000\u0000\u0000${padded}`, 'latin1');
  head.writeUInt16LE(padded.length, 8);
  return head;
}

interface ArrayFile {
  readonly name: string;
  readonly head: Buffer;
  readonly values: Buffer;
}

/** A zip archive of files that are stored as they are. */
function writeArchive(file: string, files: readonly ArrayFile[]): void {
  const descriptor = fs.openSync(file, 'w');
  const directory: Buffer[] = [];
  let offset = 0;
  const write = (bytes: Buffer): void => {
    for (let at = 0; at < bytes.length;) at += fs.writeSync(descriptor, bytes, at);
    offset += bytes.length;
  };
  for (const { name, head, values } of files) {
    const about = Buffer.alloc(26); // from the version on: the same in front of a file and in the directory
    about.writeUInt16LE(20, 0);
    about.writeUInt32LE(crc32(values, crc32(head)), 10);
    about.writeUInt32LE(head.length + values.length, 14);
    about.writeUInt32LE(head.length + values.length, 18);
    about.writeUInt16LE(name.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\u0001\u0002\u0014\u0000', 'latin1'), about, place, Buffer.from(name));
    for (const bytes of [Buffer.from('PK\u0003\u0004'), about, Buffer.from(name), head, values]) write(bytes);
  }
  const start = offset;
  for (const bytes of directory) write(bytes);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(offset - start, 12);
  end.writeUInt32LE(start, 16);
  write(end);
  fs.closeSync(descriptor);
}
