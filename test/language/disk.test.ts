// Waiting for data that is not there.
import fs from 'node:fs';
import path from 'node:path';
import { expect, it, vi } from 'vitest';
import { disk } from '../../server/language/disk.ts';
import { temporaryFolder } from '../run/scriptedRun.ts';

it('calls back once what is missing has come, and not because it is missing', async () => {
  const file = path.join(temporaryFolder(), 'data');
  const watching = vi.spyOn(fs, 'watchFile');
  const onCome = vi.fn();
  const end = disk.watch(file, onCome);
  // Node's first word on a file that is not there.
  const told = Promise.withResolvers<void>();
  fs.watchFile(file, { interval: 3000 }, () => {
    told.resolve();
  });
  await told.promise;
  expect(onCome).not.toHaveBeenCalled();
  fs.writeFileSync(file, 'here');
  const [, , look] = watching.mock.calls[0] as unknown as [string, object, () => void];
  look();
  expect(onCome).toHaveBeenCalledTimes(1);
  end();
  fs.unwatchFile(file);
  watching.mockRestore();
});
