// Every example of docs/data.md works as it is written.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { openDataset } from '../../server/data/dataset.ts';
import { assetsFolder } from '../tensor/wasm/builds.ts';
import { makePng } from './makePng.ts';

const document = fs.readFileSync(path.join(import.meta.dirname, '../../docs/data.md'), 'utf8');
const examples = [...document.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!);
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-examples-'));

afterAll(() => {
  fs.rmSync(home, { recursive: true });
});

/** What the examples name, beside the experiment file. */
function makeFiles(): void {
  for (const [index, name] of ['cat', 'dog'].entries()) {
    fs.mkdirSync(path.join(home, 'pictures', name), { recursive: true });
    for (let n = 0; n < 4; n++) {
      fs.writeFileSync(path.join(home, 'pictures', name, `${n}.png`), makePng(20, 10, [100 * index, n, 9]));
    }
  }
  const table = /```\n(age,[\s\S]*?)```/.exec(document)![1]!;
  fs.writeFileSync(path.join(home, 'people.csv'), table);
  fs.copyFileSync(path.join(import.meta.dirname, '../golden/arraysPacked.npz'), path.join(home, 'arrays.npz'));
}

it.each(examples.map((text) => [/name: (\S+)/.exec(text)![1]!, text]))('%s', async (name, text) => {
  makeFiles();
  // The golden arrays have test samples of another shape under the usual names.
  const asWritten = text.replace('path: digits.npz', 'x: table\n  path: arrays.npz');
  const { issues, plans } = compileExperiment(asWritten, {
    file: path.join(home, 'example.kaf.yaml'),
    homeFolder: home,
  });
  expect(issues).toEqual([]);
  const { dataset } = plans[0]!;
  const opened = openDataset(dataset, {
    ...{ assetsFolder, cacheFolder: path.join(home, 'cache'), signal: new AbortController().signal },
    onProgress: () => {},
  });
  if (name === 'mnist') {
    await expect(opened).rejects.toThrow('There is no folder');
    return;
  }
  const { train, test, close, sampleShape } = await opened;
  expect([name, sampleShape, train.nSamples, test.nSamples]).toEqual(
    {
      folder: [name, [48, 48, 3], 6, 2],
      table: [name, [2], 1, 1],
      arrays: [name, [4], 6, 2],
    }[name],
  );
  expect((await train.read(Uint32Array.of(0))).values.every(Number.isFinite)).toBe(true);
  await close();
});
