// The outline of an experiment, and renaming what it names itself.
import { describe, expect, it } from 'vitest';
import { complete } from '../../server/language/complete.ts';
import { documentSymbols } from '../../server/language/documentSymbols.ts';
import { anchorAt, renameAnchor } from '../../server/language/renameAnchor.ts';

const text = `name: own
dataset: { name: shapes }
evaluation: # &weak is no anchor here
  - &weak { attack: pgd, steps: 2 }
  - *weak
  - fgsm
description: "*weak & strong"
`;

describe('the outline', () => {
  it('has each key with its value and what stands below it', () => {
    const symbols = documentSymbols(text);
    expect(symbols.map(({ name, detail }) => [name, detail])).toEqual([
      ['name', 'own'],
      ['dataset', undefined],
      ['evaluation', undefined],
      ['description', '*weak & strong'],
    ]);
    expect(symbols[2]!.children!.map(({ name }) => name)).toEqual(['1 attack', '2', '3 fgsm']);
    expect(symbols[2]!.children![0]!.children!.map(({ name, detail }) => [name, detail])).toEqual([
      ['attack', 'pgd'],
      ['steps', '2'],
    ]);
  });

  it('has ranges that hold the name, as editors demand', () => {
    const check = (all: ReturnType<typeof documentSymbols>): void => {
      for (const { range, selectionRange, children } of all) {
        const at = ({ line, character }: { line: number; character: number }) => line * 1000 + character;
        expect(at(range.start)).toBeLessThanOrEqual(at(selectionRange.start));
        expect(at(range.end)).toBeGreaterThanOrEqual(at(selectionRange.end));
        check(children ?? []);
      }
    };
    check(documentSymbols(text));
    expect(documentSymbols(text)[2]!.range).toMatchObject({ start: { line: 2, character: 0 } });
    expect(documentSymbols(text)[2]!.range.end.line).toBeGreaterThanOrEqual(5);
  });

  it('is what can be read of a text with mistakes', () => {
    expect(documentSymbols('a: [1\nb: 2').map(({ name }) => name)[0]).toBe('a');
    expect(documentSymbols('')).toEqual([]);
  });
});

describe('renaming', () => {
  const place = (line: number, character: number) => ({ line, character });

  it('an anchor renames its aliases with it, and nothing in texts and comments', () => {
    for (const at of [place(3, 5), place(4, 4), place(4, 9)]) {
      expect(anchorAt(text, at)?.name).toBe('weak');
      expect(renameAnchor(text, at, 'pgd2')).toEqual([
        { range: { start: place(3, 5), end: place(3, 9) }, newText: 'pgd2' },
        { range: { start: place(4, 5), end: place(4, 9) }, newText: 'pgd2' },
      ]);
    }
  });

  it('is offered for nothing else', () => {
    for (const at of [place(0, 1), place(2, 16), place(6, 16), place(5, 5)]) {
      expect(anchorAt(text, at)).toBeNull();
      expect(renameAnchor(text, at, 'x')).toBeNull();
    }
  });

  it('refuses a name that can’t be one, or that another anchor has', () => {
    const two = 'a: &one 1\nb: &two 2\nc: *two\n';
    expect(() => renameAnchor(two, place(0, 4), 'two')).toThrow('Another anchor is called two already.');
    for (const name of ['', 'a b', 'a,b', '*x'])
      expect(() => renameAnchor(two, place(0, 4), name)).toThrow('no spaces');
    expect(renameAnchor(two, place(0, 4), 'one')).toHaveLength(1);
  });
});

describe('completion of keys', () => {
  it.each(['', 'training:\n  ', 'observe:\n  ', 'dataset:\n  '])(
    'says a default beside each key after %j',
    (before) => {
      const lines = before.split('\n');
      const position = { line: lines.length - 1, character: lines.at(-1)!.length };
      const items = complete(before, position);
      expect(items.length).toBeGreaterThan(2);
      expect(items.filter(({ detail }) => !detail?.startsWith('default: ')).map(({ label }) => label)).toEqual([]);
    },
  );
});
