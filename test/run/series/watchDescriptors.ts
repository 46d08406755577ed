// Which files are open.
import fs from 'node:fs';
import { onTestFinished, vi } from 'vitest';

/** @returns the paths in a folder that were opened from now on and are not closed */
export function watchDescriptors(): (folder: string) => string[] {
  const open = new Map<number, string>();
  const { openSync, closeSync } = fs;
  const spies = [
    vi.spyOn(fs, 'openSync').mockImplementation((file, ...how) => {
      const descriptor = openSync(file, ...how);
      open.set(descriptor, String(file));
      return descriptor;
    }),
    vi.spyOn(fs, 'closeSync').mockImplementation((descriptor) => {
      open.delete(descriptor);
      closeSync(descriptor);
    }),
  ];
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore();
  });
  return (folder) => [...open.values()].filter((file) => file.startsWith(folder));
}
