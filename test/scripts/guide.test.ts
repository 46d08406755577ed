// The guide, the walkthrough and their pictures: each that they show is one that the script takes, and together they are small.
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { pictures, walkthroughPictures } from '../../scripts/guidePictures.mjs';

const docs = path.resolve(import.meta.dirname, '../../docs');
const guide = fs.readFileSync(path.join(docs, 'guide.md'), 'utf8');

it('the guide shows every picture that is taken for it, with words for those who do not see it, and no other', () => {
  const shown = [...guide.matchAll(/!\[([^\]]+)\]\(pictures\/([\w-]+)\.png\)/g)];
  expect(shown.map(([, , name]) => name).sort()).toEqual(Object.keys(pictures).sort());
  expect(guide.match(/!\[/g)).toHaveLength(shown.length);
  for (const [, words, name] of shown) expect(words?.length, name).toBeGreaterThan(30);
  const files = fs.readdirSync(path.join(docs, 'pictures')).sort();
  expect(files).toEqual(
    Object.keys(pictures)
      .map((name) => `${name}.png`)
      .sort(),
  );
});

it('its pictures have less than 2 MB together', () => {
  const sizes = Object.keys(pictures).map((name) => fs.statSync(path.join(docs, 'pictures', `${name}.png`)).size);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(2_000_000);
});

it('what it links to in the documents is there', () => {
  const links = [...guide.matchAll(/\]\((\w+\.md)(?:#([\w-]+))?\)/g)];
  expect(links.length).toBeGreaterThan(2);
  for (const [, file = '', anchor] of links) {
    const text = fs.readFileSync(path.join(docs, file), 'utf8');
    const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} -]/gu, '')
        .replaceAll(' ', '-'),
    );
    if (anchor !== undefined) expect(anchors, `${file}#${anchor}`).toContain(anchor);
  }
});

it('each step of the walkthrough shows one that is taken for it, and all are small', () => {
  const folder = path.join(docs, '../extension/walkthrough');
  const steps = Object.keys(walkthroughPictures).sort();
  const ending = (end: string) => steps.map((step) => `${step}.${end}`);
  expect(fs.readdirSync(folder).sort()).toEqual([...ending('md'), ...ending('png')].sort());
  for (const step of steps) {
    const images = [...fs.readFileSync(path.join(folder, `${step}.md`), 'utf8').matchAll(/!\[([^\]]+)\]\(([^)]+)\)/g)];
    expect(images.map(([, , file]) => file)).toEqual([`${step}.png`]);
    expect(images[0]![1]!.length, step).toBeGreaterThan(30);
  }
  const sizes = ending('png').map((name) => fs.statSync(path.join(folder, name)).size);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(500_000);
});
