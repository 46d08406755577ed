// Files of tensors for tests, and what the command line says of one.
import fs from 'node:fs';
import path from 'node:path';
import { writeSafetensors } from '../../server/run/safetensors.ts';
import { inspectCommand } from '../../server/terminal/inspectCommand.ts';
import { Terminal } from '../../server/terminal/terminal.ts';
import { temporaryFolder } from './scriptedRun.ts';

/** Of float32. */
export function writeTensors(
  tensors: Record<string, { shape: number[]; values: ArrayLike<number> }>,
  metadata: Record<string, string> = {},
): string {
  const file = path.join(temporaryFolder(), 'x.safetensors');
  const map = Object.entries(tensors).map(
    ([name, { shape, values }]) => [name, { shape, values: Float32Array.from(values) }] as const,
  );
  writeSafetensors(file, new Map(map), metadata);
  return file;
}

/** A file of any header, put together by hand. */
export function writeRaw(header: object | string, data: Buffer = Buffer.alloc(0)): string {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = path.join(temporaryFolder(), 'x.safetensors');
  fs.writeFileSync(file, Buffer.concat([length, json, data]));
  return file;
}

/** What the command line writes of a file for people. */
export async function linesOf(file: string): Promise<string[]> {
  let written = '';
  const output = { write: (text: string) => (written += text) };
  await inspectCommand(file, new Terminal({ isJson: false, output, errors: output }));
  return written.trimEnd().split('\n');
}

/** Zeros in the place of a KAF's coefficients, with a dictionary and a bandwidth of each channel's own. */
export function zeroKaf(name: string, [channels, size]: readonly [number, number], begin: number) {
  const at = [begin, begin + channels * size, begin + 2 * channels * size, begin + 2 * channels * size + channels];
  const entry = (shape: number[], part: number) => ({ dtype: 'U8', shape, data_offsets: [at[part], at[part + 1]] });
  return {
    entries: {
      [`${name}.alpha`]: entry([channels, size], 0),
      [`${name}.dictionary`]: entry([channels, size], 1),
      [`${name}.logGamma`]: entry([channels], 2),
    },
    end: at[3]!,
  };
}
