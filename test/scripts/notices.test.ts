// The notices that the extension carries: of every package whose code is in a bundle, by the bundles' own source maps.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeNotices, packageFolder } from '../../scripts/notices.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const dist = path.join(root, 'dist');

function bundledPackages(): Set<string> {
  const maps = fs.readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.map'));
  expect(maps.length).toBeGreaterThan(8);
  const names = new Set<string>();
  for (const map of maps) {
    const { sources } = JSON.parse(fs.readFileSync(path.join(dist, map), 'utf8')) as { sources: string[] };
    for (const source of sources) {
      const folder = packageFolder(source);
      if (folder) names.add(folder.replace(/^.*node_modules\//, ''));
    }
  }
  return names;
}

describe('the notices', () => {
  it('name every package that the bundles hold, with its licence', () => {
    const text = fs.readFileSync(path.join(dist, 'THIRD_PARTY_NOTICES.txt'), 'utf8');
    const named = new Set(text.split(/─{80}/).map((part) => part.trim().split(' ')[0]));
    const missing = [...bundledPackages()].filter((name) => !named.has(name));
    expect(missing).toEqual([]);
    for (const name of ['@tensorflow/tfjs-core', '@vscode/codicons', 'chart.js', 'ws', 'zod'])
      expect(named).toContain(name);
    expect(text).toMatch(/^ws [\d.]+\nMIT\n\nCopyright/m);
  });

  it('can not be made where a package has no licence', () => {
    const cache = path.join(root, 'node_modules/.cache');
    fs.mkdirSync(cache, { recursive: true });
    const folder = fs.mkdtempSync(path.join(cache, 'notices-'));
    try {
      fs.mkdirSync(path.join(folder, 'node_modules/bare'), { recursive: true });
      const bare = { name: 'bare', version: '1.0.0', license: 'Apache-2.0' };
      fs.writeFileSync(path.join(folder, 'node_modules/bare/package.json'), JSON.stringify(bare));
      const make = () => makeNotices(folder, ['node_modules/bare/index.js'], []);
      expect(make).toThrow('bare 1.0.0 is bundled and has no licence text; name it in scripts/notices.mjs.');
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});
