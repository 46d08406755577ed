// The guide and its pictures: each that it shows is one that the script takes, and together they are small.
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { pictures } from '../../scripts/guidePictures.mjs';

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
