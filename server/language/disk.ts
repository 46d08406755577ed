// What the language server asks of the disk: whether data is there.
import fs from 'node:fs';

export interface Disk {
  exists(path: string): boolean;
  /** Calls back when a path that is missing has come, until the returned function is called. */
  watch(path: string, onChange: () => void): () => void;
}

/** Of a folder that may be anywhere, and a file that may not be there, only asking again tells. */
const everyMs = 3000;

export const disk: Disk = {
  exists: (path) => fs.existsSync(path),
  watch: (path, onChange) => {
    const watcher = fs.watchFile(path, { interval: everyMs, persistent: false }, onChange);
    return () => {
      watcher.removeListener('change', onChange);
      if (watcher.listenerCount('change') === 0) fs.unwatchFile(path);
    };
  },
};
