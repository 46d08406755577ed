import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createRequire } from 'node:module';
import type Vips from 'wasm-vips';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFolder } from '../../server/data/folder.ts';
import { RowReader, type Rows } from '../../server/data/rows.ts';
import type { FolderPlan } from '../../server/protocol/plan.ts';
import { assetsFolder } from '../tensor/wasm/builds.ts';
import { makePng } from './makePng.ts';

let home: string;
let folder: string;
let nProgress: number;

beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-folder-'));
  folder = path.join(home, 'pictures');
  nProgress = 0;
  for (const [index, name] of ['red', 'green', 'blue'].entries()) {
    fs.mkdirSync(path.join(folder, name), { recursive: true });
    const colour = [0, 1, 2].map((channel) => (channel === index ? 200 : 10));
    for (let n = 0; n < 5; n++) fs.writeFileSync(path.join(folder, name, `${n}.png`), makePng(9, 7, colour));
  }
});

afterEach(() => {
  fs.rmSync(home, { recursive: true });
});

function planOf(changes: Partial<FolderPlan> = {}): FolderPlan {
  return {
    ...{ name: 'folder', path: folder, testPath: null, size: 4, colors: 'rgb', testShare: 0.2, seed: 0 },
    ...{ trainSamples: null, testSamples: null },
    ...changes,
  };
}

const open = (changes: Partial<FolderPlan> = {}, signal = new AbortController().signal) =>
  openFolder(planOf(changes), {
    ...{ assetsFolder, cacheFolder: path.join(home, 'cache'), signal },
    onProgress: () => nProgress++,
  });

const all = (rows: Rows) =>
  new RowReader().read(
    rows,
    Uint32Array.from({ length: rows.nSamples }, (_, i) => i),
  );

describe('openFolder', () => {
  it('brings every picture to one size, its class by its folder, and takes a share to test on', async () => {
    const { train, test, classes, sampleShape } = await open();
    expect([classes, sampleShape, train.nSamples, test.nSamples]).toEqual([['blue', 'green', 'red'], [4, 4, 3], 12, 3]);
    for (const { values, labels } of [all(train), all(test)]) {
      labels.forEach((label, row) => {
        const pixel = [...values.slice(row * 48, row * 48 + 3)].map((value) => Math.round(value * 255));
        expect(pixel).toEqual([0, 1, 2].map((channel) => (channel === 2 - label ? 200 : 10)));
      });
    }
    expect([...all(train).labels, ...all(test).labels].sort()).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
  });

  it('reads from the cache the second time, and anew when a picture has changed', async () => {
    const first = await open();
    expect(nProgress).toBe(15);
    const second = await open();
    expect(nProgress).toBe(15);
    expect(all(second.train)).toEqual(all(first.train));
    fs.writeFileSync(path.join(folder, 'red', '0.png'), makePng(3, 3, [1, 2, 3]));
    await open();
    expect(nProgress).toBe(30);
  });

  it('makes the cache anew where it is not whole', async () => {
    await open();
    const sets = path.join(home, 'cache', 'datasets');
    const [key] = fs.readdirSync(sets);
    fs.truncateSync(path.join(sets, key!, 'samples.bin'), 10);
    expect(all((await open()).train).values.length).toBe(12 * 48);
    expect(nProgress).toBe(30);
  });

  it('draws another share with another seed, the same with the same', async () => {
    const [a, b, c] = [await open({ seed: 1 }), await open({ seed: 1 }), await open({ seed: 2 })];
    expect([...b.test.order!]).toEqual([...a.test.order!]);
    expect([...c.test.order!]).not.toEqual([...a.test.order!]);
  });

  it('keeps brightness alone where it is asked for, and sets what is transparent on black', async () => {
    for (const name of ['red', 'green', 'blue'])
      fs.writeFileSync(path.join(folder, name, '0.png'), makePng(4, 4, [255, 255, 255, 0]));
    const { train, test, sampleShape } = await open({ colors: 'grey' });
    expect(sampleShape).toEqual([4, 4, 1]);
    const values = [...all(train).values, ...all(test).values];
    expect(values.filter((value) => value === 0)).toHaveLength(3 * 16);
  });

  it('takes the test pictures of a folder of their own, which has no other classes', async () => {
    const testPath = path.join(home, 'test');
    fs.cpSync(path.join(folder, 'green'), path.join(testPath, 'green'), { recursive: true });
    const { train, test } = await open({ testPath });
    expect([train.nSamples, test.nSamples, ...all(test).labels]).toEqual([15, 5, 1, 1, 1, 1, 1]);
    fs.mkdirSync(path.join(testPath, 'violet'));
    await expect(open({ testPath })).rejects.toThrow(/violet is a class that .*pictures does not have/);
  });

  it('reads JPEG and WebP, and refuses each that is cut off or garbage, by its name', async () => {
    const file = path.join(assetsFolder, 'vips/vips-node.cjs');
    const vips = await (createRequire(file)(file) as typeof Vips)({ dynamicLibraries: [] });
    const noise = vips.Image.gaussnoise(80, 60, { mean: 128, sigma: 40 }).cast('uchar');
    const picture = noise.bandjoin([noise, noise]).copy({ interpretation: 'srgb' });
    for (const ending of ['.jpg', '.webp', '.png']) {
      const whole = picture.writeToBuffer(ending);
      const name = path.join(folder, 'red', `whole${ending}`);
      fs.writeFileSync(name, whole);
      expect((await open()).train.nSamples + 1).toBeGreaterThan(12);
      for (const broken of [
        whole.subarray(0, Math.floor(whole.length * 0.9)),
        new TextEncoder().encode('no picture'),
      ]) {
        fs.writeFileSync(name, broken);
        await expect(open()).rejects.toThrow(`${name} is damaged, or no PNG, JPEG or WebP`);
      }
      fs.rmSync(name);
    }
    vips.shutdown();
    expect(fs.readdirSync(path.join(home, 'cache', 'datasets')).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('follows links within the folder and refuses one that leads out of it', async () => {
    fs.symlinkSync(path.join(folder, 'red', '0.png'), path.join(folder, 'red', 'again.png'));
    expect((await open()).train.nSamples).toBe(13);
    const outside = path.join(home, 'outside.png');
    fs.writeFileSync(outside, makePng(2, 2, [0, 0, 0]));
    const link = path.join(folder, 'blue', 'link.png');
    fs.symlinkSync(outside, link);
    await expect(open()).rejects.toThrow(`${link} is a link that leads out of the folder, to ${outside}`);
    fs.rmSync(link);
    fs.symlinkSync(home, path.join(folder, 'yellow'));
    await expect(open()).rejects.toThrow(/yellow is a link that leads out of the folder/);
  });

  it('says what is missing or lies wrong', async () => {
    await expect(open({ path: path.join(home, 'no') })).rejects.toThrow(/There is no folder .*no of pictures/);
    fs.writeFileSync(path.join(folder, 'stray.png'), '');
    await expect(open()).rejects.toThrow('stray.png lies in no class');
    fs.rmSync(path.join(folder, 'stray.png'));
    fs.writeFileSync(path.join(folder, 'red', 'notes.txt'), '');
    await expect(open()).rejects.toThrow('notes.txt is no picture by its name');
    fs.rmSync(path.join(folder, 'red', 'notes.txt'));
    fs.mkdirSync(path.join(folder, 'empty'));
    await expect(open()).rejects.toThrow('empty has no pictures');
    fs.rmSync(path.join(folder, 'empty'), { recursive: true });
    await expect(open({ trainSamples: 13 })).rejects.toThrow(
      'There are 12 samples for trainSamples, but 13 are asked for',
    );
    for (const name of ['red', 'green']) fs.rmSync(path.join(folder, name), { recursive: true });
    await expect(open()).rejects.toThrow('has one class folder, but there must be two or more');
  });

  it('stops when asked, and leaves nothing behind', async () => {
    await expect(open({}, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
    expect(fs.readdirSync(path.join(home, 'cache', 'datasets'))).toEqual([]);
  });
});
