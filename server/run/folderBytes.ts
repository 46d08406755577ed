// How much a folder has on the disk.
import fs from 'node:fs/promises';
import path from 'node:path';

/** Bytes of its files, of those in folders within it, too. What is removed while they are counted, or may not be read, counts as nothing. */
export async function folderBytes(folder: string): Promise<number> {
  const entries = await fs.readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const stat = await fs.lstat(path.join(entry.parentPath, entry.name)).catch(() => null);
    bytes += stat?.size ?? 0;
  }
  return bytes;
}
