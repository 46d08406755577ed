// Which tensors are shown as pictures, and how they are cut into pages.
import { describe, expect, it } from 'vitest';
import { kernelLayout, kernelPage, kernelPages } from '../../server/protocol/kernelLayout.ts';

describe('the layout of a kernel', () => {
  it('is ours as we write it, whatever its sides', () => {
    expect(kernelLayout([3, 5, 8, 16], true)).toEqual({
      ...{ kind: 'filters', height: 3, width: 5, inputs: 8, outputs: 16, order: 'hwio' },
    });
  });

  it('is a matrix’s own, whole', () => {
    expect(kernelLayout([130, 65], false)).toEqual({
      ...{ kind: 'matrix', height: 130, width: 65, inputs: 1, outputs: 1, order: 'hwio' },
    });
  });

  it.each([
    [[3, 3, 3, 3], 'oihw'],
    [[64, 3, 3, 3], 'oihw'],
    [[16, 16, 3, 3], 'oihw'],
    [[6, 1, 5, 5], 'oihw'],
    [[3, 3, 3, 64], 'hwio'],
    [[3, 3, 16, 16], 'hwio'],
    [[5, 5, 1, 6], 'hwio'],
  ])('of another program’s %j is %s', (shape, order) => {
    expect(kernelLayout(shape, false)?.order).toBe(order);
  });

  it('is none for vectors, for nothing and for filters too large to be told apart', () => {
    const none = [[], [8], [0, 8], [2, 2, 2], [40, 40, 3, 8], [33, 1, 3, 8], [1, 33, 3, 8]];
    for (const shape of none) expect(kernelLayout(shape, true)).toBeNull();
    expect(kernelLayout([32, 32, 3, 8], true)).toMatchObject({ height: 32, width: 32 });
  });
});

describe('the pages of a kernel', () => {
  it('have 64 filters each, and what is left', () => {
    const layout = kernelLayout([3, 3, 2, 130], true)!;
    expect(kernelPages(layout)).toBe(3);
    const whole = { firstRow: 0, firstColumn: 0, height: 3, width: 3 };
    expect([0, 1, 2].map((page) => kernelPage(layout, page))).toEqual([
      { firstOutput: 0, count: 64, ...whole },
      { firstOutput: 64, count: 64, ...whole },
      { firstOutput: 128, count: 2, ...whole },
    ]);
  });

  it('cover a matrix once, row by row', () => {
    const layout = kernelLayout([130, 65], true)!;
    const seen = new Uint8Array(130 * 65);
    for (let page = 0; page < kernelPages(layout); page++) {
      const { firstRow, firstColumn, height, width } = kernelPage(layout, page);
      for (let row = firstRow; row < firstRow + height; row++)
        for (let column = firstColumn; column < firstColumn + width; column++) seen[row * 65 + column]! += 1;
    }
    expect(kernelPages(layout)).toBe(6);
    const last = { firstOutput: 0, firstRow: 128, firstColumn: 64, count: 1, height: 2, width: 1 };
    expect(kernelPage(layout, 5)).toEqual(last);
    expect(seen.every((count) => count === 1)).toBe(true);
  });
});
