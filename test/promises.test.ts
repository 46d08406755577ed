// docs/promises.md names tests: each must be there.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const text = fs.readFileSync(path.join(root, 'docs/promises.md'), 'utf8');

const named = text.split('\n').flatMap((line) => {
  const file = /^- `(test\/[^`]+)`/.exec(line)?.[1];
  return file ? [...line.matchAll(/“([^”]+)”/g)].map(([, title]) => ({ file, title: title! })) : [];
});

describe('a promise', () => {
  it('names tests that hold it, in every section but the last', () => {
    const sections = text.split(/^## /m).slice(1, -1);
    expect(sections.length).toBeGreaterThan(10);
    for (const section of sections) expect(section, section.split('\n')[0]).toMatch(/^- `test\//m);
  });

  it.each(named)('is held by a test that is there: $file, $title', ({ file, title }) => {
    const source = fs.readFileSync(path.join(root, file), 'utf8');
    const escaped = title.replaceAll("'", "\\'");
    expect(source.includes(title) || source.includes(escaped)).toBe(true);
  });
});
