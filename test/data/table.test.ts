import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { datasetHere } from '../../server/data/dataset.ts';
import { RowReader, type Rows } from '../../server/data/rows.ts';
import { openPublishedTable } from '../../server/data/publishedTable.ts';
import { openTable } from '../../server/data/table.ts';
import type { TablePlan } from '../../server/protocol/plan.ts';

let home: string;
let file: string;
let nProgress: number;

beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-table-'));
  file = path.join(home, 'data.csv');
  nProgress = 0;
});

afterEach(() => {
  fs.rmSync(home, { recursive: true });
});

const around = (signal = new AbortController().signal) => ({
  ...{ assetsFolder: '', cacheFolder: path.join(home, 'cache'), signal },
  onProgress: () => nProgress++,
});

function planOf(changes: Partial<TablePlan> = {}): TablePlan {
  return {
    ...{ name: 'table', path: file, testPath: null, label: 'kind', separator: ',', testShare: 0.25, seed: 0 },
    ...{ trainSamples: null, testSamples: null },
    ...changes,
  };
}

async function openText(text: string | Buffer, changes: Partial<TablePlan> = {}) {
  fs.writeFileSync(file, text);
  return openTable(planOf(changes), around());
}

const rowsOf = (rows: Rows) => {
  const { values, labels } = new RowReader().read(
    rows,
    Uint32Array.from({ length: rows.nSamples }, (_, i) => i),
  );
  return [...labels].map((label, row) => [label, ...values.slice(row * rows.sampleSize, (row + 1) * rows.sampleSize)]);
};

const few = 'a,kind,b\n1,cat,2\n3,dog,4\n5,cat,6\n7,ant,8\n';

describe('a table as a spreadsheet writes it', () => {
  it('has a byte order mark, quotes around names and texts, semicolons and CRLF', async () => {
    const text = '\uFEFF"kind";"a;b"\r\n"red, ""ripe""";1.5\r\n"green";2\r\n"green";-3e1\r\n';
    const { classes, columnNames, train, test } = await openText(text, { separator: ';' });
    expect([classes, columnNames]).toEqual([['green', 'red, "ripe"'], ['a;b']]);
    expect([...rowsOf(train), ...rowsOf(test)].sort((x, y) => x[1]! - y[1]!)).toEqual([
      [0, -30],
      [1, 1.5],
      [0, 2],
    ]);
  });

  it('is refused with another separator, with decimal commas or in another encoding, which is named', async () => {
    const semicolons = few.replaceAll(',', ';');
    await expect(openText(semicolons)).rejects.toThrow(
      'Its one column looks like several: is dataset.separator semicolon?',
    );
    await expect(openText(few.replaceAll(',', '\t'))).rejects.toThrow('is dataset.separator tab?');
    await expect(openText(few, { separator: '\t' })).rejects.toThrow('is dataset.separator comma?');
    const comma = semicolons.replace('3;dog', '3,5;dog');
    await expect(openText(comma, { separator: ';' })).rejects.toThrow(
      'line 3, column a: expected a number, got "3,5". Write a point for the decimal comma.',
    );
    await expect(openText(Buffer.from(few.replace('dog', 'käfer'), 'latin1'))).rejects.toThrow(
      'line 3, column kind: the text is not in UTF-8',
    );
    await expect(openText(Buffer.from(few, 'utf16le'))).rejects.toThrow('line 1: the text is not in UTF-8');
  });
});

describe('openTable', () => {
  it('reads numbers as they are and classes by name, the columns by the header', async () => {
    const { train, test, classes, sampleShape, isTable, columnNames } = await openText(few);
    expect([classes, sampleShape, isTable, columnNames]).toEqual([['ant', 'cat', 'dog'], [2], true, ['a', 'b']]);
    expect([train.nSamples, test.nSamples]).toEqual([3, 1]);
    expect([...rowsOf(train), ...rowsOf(test)].sort((x, y) => x[1]! - y[1]!)).toEqual([
      ...[
        [1, 1, 2],
        [2, 3, 4],
        [1, 5, 6],
        [0, 7, 8],
      ],
    ]);
  });

  it('sorts classes that are numbers by number', async () => {
    expect((await openText('x,kind\n1,10\n2,9\n3,-1\n4,9\n')).classes).toEqual(['-1', '9', '10']);
  });

  it('reads packed files, other separators, quotes, a byte order mark, empty lines and lines of Windows', async () => {
    const { classes } = await openText(gzipSync('\uFEFFkind;x\r\n"a; ""b""";1e-3\r\n\r\nc; 2.5\r\nc;3\r\nc;4\r\n'), {
      separator: ';',
    });
    expect(classes).toEqual(['a; "b"', 'c']);
  });

  it('reads from the cache the second time', async () => {
    await openText(few);
    const seen = nProgress;
    const again = await openTable(planOf(), around());
    expect([nProgress, again.columnNames]).toEqual([seen, ['a', 'b']]);
  });

  it('gives mean and deviation of the columns over the training split alone', async () => {
    fs.writeFileSync(file, 'a,kind\n1,x\n3,y\n5,x\n100,y\n');
    fs.writeFileSync(`${file}.test`, 'a,kind\n1000,x\n');
    const opened = await openTable(planOf({ testPath: `${file}.test` }), around());
    const { columns } = datasetHere({ name: 'table', validationSamples: 1 }, opened);
    expect(columns!.mean[0]).toBeCloseTo(3, 12);
    expect(columns!.std[0]).toBeCloseTo(Math.sqrt(8 / 3), 12);
  });

  it('takes test rows of a file of their own, of the same columns and classes', async () => {
    const testPath = path.join(home, 'test.csv');
    fs.writeFileSync(testPath, 'a,kind,b\n9,dog,10\n');
    const { train, test } = await openText(few, { testPath });
    expect([train.nSamples, rowsOf(test)]).toEqual([4, [[2, 9, 10]]]);
    fs.writeFileSync(testPath, 'a,kind,b\n9,cow,10\n');
    await expect(openText(few, { testPath })).rejects.toThrow(
      `${testPath}, line 2, column kind: the class is "cow". Rows to train on have none such: ant, cat, dog.`,
    );
    fs.writeFileSync(testPath, 'a,kind,c\n9,cat,10\n');
    await expect(openText(few, { testPath })).rejects.toThrow(`${testPath}, line 1: the columns are not those of`);
  });

  it.each([
    ['a,kind,b\n1,x,2\n3,y,\n', 'line 3, column b: the value is missing. Fill it in, or remove the row'],
    ['a,kind,b\n1,x,2\n3,y, NA\n', 'line 3, column b: the value is missing ("NA")'],
    ['a,kind,b\n1,x,2\n3,,4\n', 'line 3, column kind: the value is missing'],
    ['a,kind,b\n1,"x\nz",2\n3,y,q\n', 'line 4, column b: expected a number, got "q"'],
    ['a,kind,b\n1,x,2\n3,y,1e39\n', 'line 3, column b: expected a number that float32 can hold, got "1e39"'],
    ['a,kind,b\n1,x,2\n3,y,inf\n', 'line 3, column b: expected a number, got "inf"'],
    ['a,kind,b\n1,x,2\n3,y\n', 'line 3: 2 values, but the header names 3 columns'],
    ['1,2,3\n4,5,6\n', 'line 1: a header is needed'],
    ['a,a,kind\n1,2,x\n', 'line 1: two columns are called "a"'],
    ['a,b\n1,x\n', 'line 1: no column is called "kind". Set dataset.label to one of: a, b.'],
    ['kind\nx\n', 'line 1: there is no column besides the label'],
    ['a,kind\n', 'has no rows below its header'],
    ['a,kind\n1,x\n2,x\n', 'has only one class: kind is "x" in every row'],
    [
      `a,kind\n${Array.from({ length: 1001 }, (_, i) => `1,${i}`).join('\n')}\n`,
      'line 1002, column kind: the class is "1000". It is the 1001st class',
    ],
  ])('refuses %j with its place', async (text, message) => {
    await expect(openText(text)).rejects.toThrow(message);
    expect(fs.readdirSync(path.join(home, 'cache', 'datasets')).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('refuses a packed file that is cut off, and a file that is not there', async () => {
    const packed = gzipSync(`a,kind\n${'1.2345,x\n'.repeat(5000)}`, { level: 0 });
    await expect(openText(packed.subarray(0, 30_000))).rejects.toThrow(/data.csv can't be read to its end/);
    fs.rmSync(file);
    await expect(openTable(planOf(), around())).rejects.toThrow(`There is no file ${file}`);
  });

  it('stops when asked', async () => {
    fs.writeFileSync(file, few);
    await expect(openTable(planOf(), around(AbortSignal.abort()))).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('openPublishedTable', () => {
  const sizes = { trainSamples: null, testSamples: null };

  it('reads Sensorless: blanks, no header, labels from 1 last', async () => {
    const row = (label: number) => [...Array.from({ length: 48 }, (_, i) => i + label / 100), label].join(' ');
    const at = path.join(home, 'Sensorless_drive_diagnosis.txt');
    fs.writeFileSync(at, Array.from({ length: 22 }, (_, i) => row((i % 11) + 1)).join('\n'));
    const { train, test, classes } = await openPublishedTable({ name: 'sensorless', path: home, ...sizes }, around());
    expect([classes.length, train.sampleSize, train.nSamples, test.nSamples]).toEqual([11, 48, 18, 4]);
    for (const [label, first] of [...rowsOf(train), ...rowsOf(test)]) expect(first).toBeCloseTo((label! + 1) / 100, 6);
    fs.writeFileSync(at, `${row(1)}\n${row(12)}\n`);
    await expect(openPublishedTable({ name: 'sensorless', path: at, ...sizes }, around())).rejects.toThrow(
      `line 2, column 49: the label is "12", but Sensorless Drive Diagnosis's go from 1 to 11`,
    );
  });

  it('reads SUSY: packed, the label first, the last rows to test', async () => {
    const row = (n: number) => [`${n % 2}.000000000000000000e+00`, ...Array.from({ length: 18 }, () => n)].join(',');
    fs.writeFileSync(path.join(home, 'SUSY.csv.gz'), gzipSync(Array.from({ length: 20 }, (_, n) => row(n)).join('\n')));
    const { train, test, classes } = await openPublishedTable({ name: 'susy', path: home, ...sizes }, around());
    expect([classes, train.nSamples, train.sampleSize]).toEqual([['background', 'signal'], 18, 18]);
    expect(rowsOf(test).map(([label, first]) => [label, first])).toEqual([
      [0, 18],
      [1, 19],
    ]);
    expect(rowsOf(train)[3]!.slice(0, 2)).toEqual([1, 3]);
    await expect(
      openPublishedTable({ name: 'susy', path: home, ...sizes, trainSamples: 19 }, around()),
    ).rejects.toThrow('There are 18 samples for trainSamples, but 19 are asked for');
  });

  it('says what to get where it is missing', async () => {
    await expect(openPublishedTable({ name: 'susy', path: home, ...sizes }, around())).rejects.toThrow(
      /There is no SUSY at .*kafscope download susy FOLDER/,
    );
  });
});

const real = process.env['KAFSCOPE_SENSORLESS'];

if (real)
  describe('the real sample of Sensorless', () => {
    it('has 200 rows a class', async () => {
      const plan = { name: 'sensorless', path: real, trainSamples: null, testSamples: null } as const;
      const { train, test } = await openPublishedTable(plan, around());
      const perClass = Array<number>(11).fill(0);
      for (const [label] of [...rowsOf(train), ...rowsOf(test)]) perClass[label!]!++;
      expect(perClass).toEqual(Array(11).fill(200));
    });
  });
