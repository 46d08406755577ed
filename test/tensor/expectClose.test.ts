import { describe, expect, it } from 'vitest';

import { expectClose } from './expectClose.ts';

const exact = { absolute: 0, relative: 0 };
const floats = (...values: number[]) => Float32Array.from(values);

describe('expectClose', () => {
  it('passes equal arrays, empty ones too', () => {
    expectClose(floats(), floats(), exact);
    expectClose(floats(1, NaN, Infinity, -Infinity), floats(1, NaN, Infinity, -Infinity), exact);
  });

  it('adds the absolute and the relative tolerance', () => {
    expectClose(floats(100.125), floats(100), { absolute: 0.025, relative: 0.001 });
    expect(() => {
      expectClose(floats(100.125), floats(100), { absolute: 0.02, relative: 0.001 });
    }).toThrow('the worst is [0]: expected 100, got 100.125');
  });

  it('fails on another length', () => {
    expect(() => {
      expectClose(floats(1), floats(1, 2), exact, 'y');
    }).toThrow('y: expected length 2, got 1');
  });

  it('fails on another class, however equal the values', () => {
    expect(() => {
      expectClose(Int32Array.of(1), floats(1), exact);
    }).toThrow('expected a Float32Array, got a Int32Array');
  });

  it.each([
    ['NaN for a number', NaN, 1],
    ['a number for NaN', 1, NaN],
    ['Infinity for a number', Infinity, 1],
    ['a number for Infinity', 3e38, Infinity],
    ['an infinity of the other sign', -Infinity, Infinity],
    ['NaN for Infinity', NaN, Infinity],
  ])('fails on %s, whatever the tolerance', (_, actual, expected) => {
    expect(() => {
      expectClose(floats(actual), floats(expected), { absolute: Infinity, relative: Infinity });
    }).toThrow('1 of 1 elements are off; the worst is [0]');
  });

  it('names the worst index and counts the wrong elements', () => {
    expect(() => {
      expectClose(floats(1, 2.5, 7, 4), floats(1, 2, 3, 4), { absolute: 0.1, relative: 0 });
    }).toThrow('array: 2 of 4 elements are off; the worst is [2]: expected 3, got 7 (absolute 0.1, relative 0)');
  });
});
