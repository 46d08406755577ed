// Rows of a text file of any length, packed by gzip or not, as they stream by: each with the line on which it begins. The parsing
// itself is Papa Parse's.
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import Papa from 'papaparse';
import { DataError } from './dataError.ts';

export interface TextFile {
  readonly file: string;
  readonly separator: string;
  readonly signal: AbortSignal;
  /** Bytes of the file read so far, and all of them. */
  readonly onProgress: (readBytes: number, totalBytes: number) => void;
}

/**
 * Calls back with every row that is not empty; lines count from 1.
 * @throws DataError where the file can't be read or unpacked, or a quote is not closed; whatever the callback throws
 */
export async function readRows(
  { file, separator, signal, onProgress }: TextFile,
  onRow: (fields: string[], line: number) => void,
): Promise<void> {
  signal.throwIfAborted();
  const { size } = await stat(file);
  const source = createReadStream(file);
  const text: Readable = (await isPacked(file)) ? source.pipe(createGunzip()) : source;
  // A character of several bytes may lie across two pieces.
  text.setEncoding('utf8');
  let line = 1;
  try {
    await new Promise<void>((resolve, reject) => {
      source.on('error', reject);
      text.on('error', reject);
      Papa.parse<string[]>(text, {
        delimiter: separator,
        // A byte order mark would come before the first quote, which then were none.
        beforeFirstChunk: (chunk) => chunk.replace(/^\uFEFF/, ''),
        chunk: ({ data, errors }, parser) => {
          try {
            signal.throwIfAborted();
            for (const fields of data) {
              if (fields.length > 1 || fields[0]!.trim() !== '') onRow(fields, line);
              line += 1 + newlinesIn(fields);
            }
            const [unclosed] = errors.filter(({ type }) => type === 'Quotes');
            if (unclosed) {
              throw new DataError(`${file}, near line ${line}: a quote is not closed (${unclosed.message}). Close it.`);
            }
            onProgress(source.bytesRead, size);
          } catch (error) {
            // Aborting completes: the first to settle counts.
            reject(error instanceof Error ? error : new Error(String(error)));
            parser.abort();
          }
        },
        complete: () => {
          resolve();
        },
        error: reject,
      });
    });
  } catch (cause) {
    if (cause instanceof DataError || signal.aborted || !(cause as NodeJS.ErrnoException).code) throw cause;
    throw new DataError(
      `${file} can't be read to its end: ${(cause as Error).message}. It may be cut off: get it again.`,
      {
        cause,
      },
    );
  } finally {
    source.destroy();
    text.destroy();
  }
}

/** Within quotes. */
function newlinesIn(fields: readonly string[]): number {
  let count = 0;
  for (const field of fields) if (field.includes('\n')) count += field.split('\n').length - 1;
  return count;
}

/** By the first bytes, whatever the name. @throws DataError where there is no such file */
async function isPacked(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await handle.close();
  }
}
