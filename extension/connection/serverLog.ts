// Follows the file that the server's output goes to, also when another window started the server.
import fs from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import type { Disposable } from 'vscode-jsonrpc/node';

const pollMs = 1000;

/** Hands on each whole line that is appended from now on. */
export function followServerLog(file: string, onLine: (line: string) => void): Disposable {
  let offset = fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  let decoder = new StringDecoder('utf8');
  let rest = '';
  const onChange = (stats: fs.Stats): void => {
    if (stats.size < offset) {
      offset = 0; // begun anew
      decoder = new StringDecoder('utf8');
      rest = '';
    }
    if (stats.size === offset) return;
    const bytes = readRange(file, offset, stats.size);
    offset += bytes.length;
    const lines = (rest + decoder.write(bytes)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  };
  fs.watchFile(file, { interval: pollMs, persistent: false }, onChange);
  return {
    dispose: () => {
      fs.unwatchFile(file, onChange);
    },
  };
}

function readRange(file: string, start: number, end: number): Buffer {
  let handle: number;
  try {
    handle = fs.openSync(file, 'r');
  } catch {
    return Buffer.alloc(0); // gone between the notice and now; the next notice says so
  }
  try {
    const bytes = Buffer.alloc(end - start);
    return bytes.subarray(0, fs.readSync(handle, bytes, 0, bytes.length, start));
  } finally {
    fs.closeSync(handle);
  }
}
