import { expect, test } from 'vitest';
import { csvOf, jsonOf } from '../../../webview/charts/cardExport.ts';

const card = {
  ...{ title: 'loss', axis: 'step' },
  curves: [
    { name: 'a, b', x: [1, 2], y: Float64Array.of(0.5, Number.NaN), color: 'red' },
    { name: '=1', x: [3], y: [Infinity], color: 'red' },
  ],
};

test('a card in CSV has a row a point, in cells that no spreadsheet takes for formulas', () => {
  expect(csvOf(card)).toBe('curve,step,loss\r\n"a, b",1,0.5\r\n"a, b",2,NaN\r\n\'=1,3,Infinity\r\n');
});

test('a card in JSON has a point each, and what is not finite as a text', () => {
  expect(JSON.parse(jsonOf(card))).toEqual({
    title: 'loss',
    points: [
      { curve: 'a, b', step: 1, value: 0.5 },
      { curve: 'a, b', step: 2, value: 'NaN' },
      { curve: '=1', step: 3, value: 'Infinity' },
    ],
  });
});
