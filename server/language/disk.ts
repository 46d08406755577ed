// What the language server asks of the disk: whether data is there.
import fs from 'node:fs';

export interface Disk {
  exists(path: string): boolean;
  /** Calls back when a path that is missing has come, until the returned function is called. */
  watch(path: string, onCome: () => void): () => void;
}

/** Of a folder that may be anywhere, and a file that may not be there, only asking again tells. */
const everyMs = 3000;

export const disk: Disk = {
  exists: (path) => fs.existsSync(path),
  watch: (path, onCome) => {
    // Node tells once of what is missing from the beginning, too: whoever then looks and waits anew would never rest.
    const look = () => {
      if (fs.existsSync(path)) onCome();
    };
    fs.watchFile(path, { interval: everyMs, persistent: false }, look);
    return () => {
      fs.unwatchFile(path, look);
    };
  },
};
