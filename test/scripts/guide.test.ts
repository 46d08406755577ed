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

it('each step of the walkthrough shows one that is taken for it in the theme of the window, and all are small', () => {
  const root = path.join(docs, '..');
  const folder = path.join(root, 'extension/walkthrough');
  const files = Object.keys(walkthroughPictures).map((name) => `${name}.png`);
  expect(fs.readdirSync(folder).sort()).toEqual(files.sort());
  const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest;
  for (const { id, media } of manifest.contributes.walkthroughs.flatMap(({ steps }) => steps)) {
    const [dark, light] = ['dark', 'light'].map((theme) => `extension/walkthrough/${id}-${theme}.png`);
    expect(media.image).toEqual({ dark, light, hc: dark, hcLight: light });
    expect(media.altText.length, id).toBeGreaterThan(30);
    for (const file of [dark!, light!]) expect(files).toContain(path.basename(file));
  }
  const sizes = files.map((name) => fs.statSync(path.join(folder, name)).size);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(800_000);
});

interface Manifest {
  readonly contributes: {
    readonly walkthroughs: readonly {
      readonly steps: readonly {
        readonly id: string;
        readonly media: { readonly image: Readonly<Record<string, string>>; readonly altText: string };
      }[];
    }[];
  };
}
