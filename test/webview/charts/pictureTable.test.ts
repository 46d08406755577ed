import { expect, test } from 'vitest';
import { csvOf, curvesTable, jsonOf } from '../../../webview/charts/pictureTable.ts';

const curves = [
  { name: 'a, b', x: [1, 2, 3], y: Float64Array.of(0.5, Number.NaN, 7), color: 'red' },
  { name: '=1', x: [3], y: [Infinity], color: 'red' },
];
const whole = curvesTable(curves, { axis: 'step', title: 'loss', range: null });

test('curves as a table have a row a point, of the stretch that is in view', () => {
  expect(whole).toEqual({
    columns: ['curve', 'step', 'loss'],
    rows: [
      ['a, b', 1, 0.5],
      ['a, b', 2, Number.NaN],
      ['a, b', 3, 7],
      ['=1', 3, Infinity],
    ],
  });
  const part = curvesTable(curves, { axis: 'step', title: 'loss', range: { from: 1.5, to: 2 } });
  expect(part.rows).toEqual([['a, b', 2, Number.NaN]]);
});

test('a table in CSV has cells that no spreadsheet takes for formulas', () => {
  expect(csvOf(whole)).toBe('curve,step,loss\r\n"a, b",1,0.5\r\n"a, b",2,NaN\r\n"a, b",3,7\r\n\'=1,3,Infinity\r\n');
});

test('a table in JSON has a record a row, and what is not finite as a text', () => {
  expect(JSON.parse(jsonOf('loss', whole))).toEqual({
    title: 'loss',
    rows: [
      { curve: 'a, b', step: 1, loss: 0.5 },
      { curve: 'a, b', step: 2, loss: 'NaN' },
      { curve: 'a, b', step: 3, loss: 7 },
      { curve: '=1', step: 3, loss: 'Infinity' },
    ],
  });
});
