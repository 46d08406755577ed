import { describe, expect, test } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatDecade,
  formatFraction,
  formatNumber,
  formatPercent,
  formatTick,
  tickFormat,
  parseFraction,
} from '../../../webview/text/numbers.ts';
import { formatDuration } from '../../../server/protocol/duration.ts';
import { formatClock } from '../../../webview/text/duration.ts';

describe('numbers', () => {
  test.each([
    [1.31728, '1.317'],
    [0, '0'],
    [-0.00012346, '−0.0001235'],
    [0.0000123, '1.23e−5'],
    [12_345.6, '12,346'],
    [9999.6, '10,000'],
    [9999.4, '9999'],
    [999_999.6, '1.00e6'],
    [3.2e7, '3.20e7'],
    [Number.NaN, 'NaN'],
    [Infinity, '+∞'],
    [-Infinity, '−∞'],
  ])('%d reads %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  test('counts have thousands, proportions a percent sign', () => {
    expect(formatCount(1_234_567.4)).toBe('1,234,567');
    expect(formatCount(-999)).toBe('−999');
    expect(formatPercent(0.6412)).toBe('64.1 %');
    expect(formatPercent(Number.NaN)).toBe('NaN');
  });

  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [2_312_448, '2.3 MB'],
    [54_000_000, '54.0 MB'],
    [1e15, '1.0 PB'],
  ])('%d bytes read %s', (value, text) => {
    expect(formatBytes(value)).toBe(text);
  });

  test.each([
    [20_000, '20k'],
    [1500, '1.5k'],
    [1234, '1234'],
    [0.25, '0.25'],
    [2.5e6, '2.5M'],
    [-0.005, '−0.005'],
    [-0.0005, '−5e−4'],
    [0.00002, '2e−5'],
  ])('a tick at %d reads %s', (value, text) => {
    expect(formatTick(value)).toBe(text);
  });

  test('the ticks of an axis are all written in one way', () => {
    const written = (ticks: readonly number[]) => ticks.map(tickFormat(ticks));
    expect(written([0, 0.0005, 0.001, 0.0015])).toEqual(['0', '5e−4', '1e−3', '1.5e−3']);
    expect(written([0.005, 0.01, 0.02, 0.05])).toEqual(['0.005', '0.01', '0.02', '0.05']);
    expect(written([-1, 0, 1])).toEqual(['−1', '0', '1']);
  });

  test('decades near one are written out', () => {
    expect([1e-2, 0.1, 1, 10, 100, 1e3].map(formatDecade)).toEqual(['1e−2', '0.1', '1', '10', '100', '1e3']);
  });
});

describe('fractions', () => {
  test('255ths read as such, and both notations come back', () => {
    expect(formatFraction(8 / 255)).toBe('8/255');
    expect(formatFraction(0.03)).toBe('0.03000');
    for (const text of ['8/255', ' 8 / 255 ']) expect(parseFraction(text)).toBe(8 / 255);
    expect(parseFraction('.5')).toBe(0.5);
    for (const text of ['', '8/255/2', 'x', '-1', '1e-2']) expect(parseFraction(text)).toBeNaN();
  });
});

describe('durations', () => {
  test.each([
    [800, '1 s'],
    [48_000, '48 s'],
    [720_000, '12 min'],
    [4_320_000, '1 h 12 min'],
    [7_200_000, '2 h'],
    [3_599_000, '1 h'],
    [273_600_000, '3 d 4 h'],
    [Number.NaN, 'unknown'],
  ])('%d ms are %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  test('a clock shows minutes and hours', () => {
    expect([45_000, 150_000, 3_900_000].map(formatClock)).toEqual(['45 s', '2:30', '1:05:00']);
  });
});
