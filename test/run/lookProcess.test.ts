// Data sets looked at in processes of their own.
import fs from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { decode } from '../../server/protocol/codec.ts';
import type { DatasetLook } from '../../server/protocol/datasetLook.ts';
import type { DatasetPlan, FolderPlan } from '../../server/protocol/plan.ts';
import { BadDatasetError, makeLooker } from '../../server/run/lookProcess.ts';
import { makePng } from '../data/makePng.ts';
import { assetsFolder } from '../tensor/wasm/builds.ts';
import { temporaryFolder } from './scriptedRun.ts';

const entryFile = path.join(import.meta.dirname, '../../server/lookMain.ts');
const lookAt = makeLooker({ entryFile, assetsFolder });
const shapes: DatasetPlan = { name: 'shapes', seed: 0, trainSamples: 200, testSamples: 20 };
let folder: string;

const folderPlan = (): FolderPlan => ({
  ...{ name: 'folder', path: path.join(folder, 'pictures'), testPath: null, size: 8, colors: 'rgb', testShare: 0.2 },
  ...{ seed: 0, trainSamples: null, testSamples: null },
});

beforeEach(() => {
  folder = temporaryFolder();
  process.env['XDG_CACHE_HOME'] = path.join(folder, 'cache');
  for (const name of ['cat', 'dog']) {
    fs.mkdirSync(path.join(folder, 'pictures', name), { recursive: true });
    for (let n = 0; n < 5; n++)
      fs.writeFileSync(path.join(folder, 'pictures', name, `${String(n)}.png`), makePng(9, 7, [200, 10, 10]));
  }
});

async function look(plan: DatasetPlan, signal = new AbortController().signal, told: string[] = []) {
  const onProgress = ({ what }: { what: string }) => told.push(what);
  return decode((await lookAt(plan, { signal, onProgress })).bytes) as DatasetLook;
}

describe('a look in a process of its own', () => {
  it('brings pictures as bytes, and tells how far it is', async () => {
    const told: string[] = [];
    const { title, places, classes, pictures } = await look(folderPlan(), undefined, told);
    expect([title, places]).toEqual(['A folder of pictures', [path.join(folder, 'pictures')]]);
    expect(classes.map(({ name }) => name)).toEqual(['cat', 'dog']);
    expect(pictures!.classes[0]!.samples.slice(0, 3)).toEqual(Uint8Array.of(200, 10, 10));
    expect(told[0]).toContain('reading the pictures of');
  });

  it('of what is made has no place', async () => {
    const { places, splits, nClasses } = await look(shapes);
    expect([places, splits[0]!.nSamples, nClasses]).toEqual([[], 200, 10]);
  });

  it('fails with the sentence that names the broken picture', async () => {
    fs.writeFileSync(path.join(folder, 'pictures/dog/3.png'), 'no picture');
    const failed = look(folderPlan());
    await expect(failed).rejects.toThrow(BadDatasetError);
    await expect(failed).rejects.toThrow(`${path.join(folder, 'pictures/dog/3.png')} is damaged`);
  });

  it('says in a sentence that its process ended without an answer', async () => {
    const ended = makeLooker({
      entryFile: path.join(import.meta.dirname, 'scriptedInspectorMain.ts'),
      assetsFolder,
    })(shapes, { signal: new AbortController().signal, onProgress: () => {} });
    await expect(ended).rejects.toThrow("The data set can't be shown: the process that read it ended with code 134");
  });

  it('ends at once when it is aborted, at work or waiting, and gives its turn to the next', async () => {
    const abort = new AbortController();
    const first = [1, 2, 3].map(() => look({ ...shapes, trainSamples: 200_000 }, abort.signal));
    const after = look(shapes);
    abort.abort(new Error('not wanted any more'));
    await Promise.all(first.map((each) => expect(each).rejects.toThrow('not wanted any more')));
    expect((await after).nClasses).toBe(10);
  });
});
