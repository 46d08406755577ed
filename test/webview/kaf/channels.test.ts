// What orders channels: alike shapes, how bent they are, how far an attack moves their inputs.
import { describe, expect, it } from 'vitest';
import { clusterShapes } from '../../../webview/kaf/clusters.ts';
import { curvatureOf } from '../../../webview/kaf/curvature.ts';
import { densitiesAt, densityOf } from '../../../webview/kaf/densities.ts';
import type { ResponsesRecord } from '../../../server/protocol/records.ts';

const x = Float64Array.from({ length: 41 }, (_, index) => -2 + index / 10);

describe('clusterShapes', () => {
  it('puts alike shapes together, the largest cluster first, whatever their order', () => {
    const lines = [1, 1.02, 0.98, 1.01].map((slope) => x.map((value) => slope * value));
    const squares = [1, 1.03].map((factor) => x.map((value) => factor * value * value));
    expect(clusterShapes([...squares, ...lines], 2)).toEqual([1, 1, 0, 0, 0, 0]);
    expect(clusterShapes([...lines, ...squares], 2)).toEqual([0, 0, 0, 0, 1, 1]);
  });

  it('makes fewer clusters of equal shapes, and one of what is not finite', () => {
    const broken = x.map(() => Number.NaN);
    expect(clusterShapes([x, x, broken, x], 3)).toEqual([0, 0, 1, 0]);
    expect(clusterShapes([], 3)).toEqual([]);
  });
});

describe('curvatureOf', () => {
  it('is the mean square of the second derivative', () => {
    expect(
      curvatureOf(
        x,
        x.map((value) => 3 * value),
      ),
    ).toBeCloseTo(0, 12);
    expect(
      curvatureOf(
        x,
        x.map((value) => value ** 2),
      ),
    ).toBeCloseTo(4, 9);
    expect(
      curvatureOf(
        x,
        x.map(() => Number.NaN),
      ),
    ).toBeNaN();
  });
});

describe('densities', () => {
  const rows = (...values: number[]) => Uint8Array.from({ length: 2 * 26 }, (_, at) => values[at % 26] ?? 0);
  const inputs = { low: -12, high: 12, clean: rows(0, 255, 255), attacked: rows(0, 0, 255, 255) };

  it('have the middles of their bins, and by how much an attack moves them', () => {
    const { x: places, clean, attacked, shift } = densityOf(inputs, 1);
    expect([places[0], places.at(-1)]).toEqual([-11.5, 11.5]);
    expect([...clean.slice(0, 3), ...attacked.slice(0, 3)]).toEqual([1, 1, 0, 0, 1, 1]);
    expect(shift).toBe(0.5);
    expect(densityOf({ ...inputs, attacked: inputs.clean }, 0).shift).toBe(0);
  });

  it('are of the record at the step shown, or of the first behind it', () => {
    const at = (step: number): ResponsesRecord => ({
      ...{ type: 'responses', step, samples: 1, attack: '' },
      layers: [
        {
          ...{ layer: 'kaf1', l2: 0, relative: 0, thesis: 0, ks: 0 },
          outputs: { low: 0, high: 1, clean: new Uint8Array(), attacked: new Uint8Array() },
          inputs: { ...inputs, low: step },
        },
      ],
    });
    const records = [at(10), at(20)];
    expect([0, 10, 19, 99].map((step) => densitiesAt(records, 'kaf1', step)?.low)).toEqual([10, 10, 10, 20]);
    expect(densitiesAt(records, 'kaf2', 10)).toBeNull();
    expect(densitiesAt([], 'kaf1', 10)).toBeNull();
  });
});
