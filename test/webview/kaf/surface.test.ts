import { describe, expect, test } from 'vitest';
import { kaf2d, kaf2dGradients } from '../../../server/tensor/reference/kaf2d.ts';
import { drawingOf } from '../../../webview/kaf/drawing.ts';
import { steepestSlope, surfaceDistance, surfaceInputs, surfaceValues } from '../../../webview/kaf/surface.ts';

const layer = { axis: [-1, 0, 1], gamma: 0.5 };
const row = Float32Array.from({ length: 9 }, (_, i) => Math.sin(3 * i + 1));
const inputs = surfaceInputs(layer, { points: 7, margin: 1 });
const options = { channels: 1, side: 3, boundary: 1, gamma: 0.5 };
/** As the reference takes them: u, v of each pair. */
const pairs = Float64Array.from({ length: 98 }, (_, at) =>
  at % 2 === 0 ? inputs[Math.floor(at / 14)]! : inputs[((at - 1) / 2) % 7]!,
);

describe('the surface of a two-dimensional KAF', () => {
  test('is drawn from the dictionary’s ends and a margin', () => {
    expect([...inputs]).toEqual([-2, -4 / 3, -2 / 3, 0, 2 / 3, 4 / 3, 2].map((x) => expect.closeTo(x, 12) as number));
  });

  test('has the values of the float64 reference at all pairs', () => {
    const wanted = kaf2d(pairs, row, options);
    surfaceValues(layer, inputs, row).forEach((value, at) => expect(value).toBeCloseTo(wanted[at]!, 12));
  });

  test('has the steepest slope of the reference’s gradient', () => {
    const { dx } = kaf2dGradients(new Float64Array(49).fill(1), pairs, row, options);
    const slopes = Array.from({ length: 49 }, (_, n) => Math.hypot(dx[2 * n]!, dx[2 * n + 1]!));
    expect(steepestSlope(layer, inputs, row)).toBeCloseTo(Math.max(...slopes), 12);
    expect(steepestSlope(layer, inputs, row.with(4, NaN))).toBeNaN();
  });

  test('is as far from another as the integral of their difference squared', () => {
    const f = surfaceValues(layer, inputs, row);
    // A difference of 1 over a square of 16.
    expect(
      surfaceDistance(
        inputs,
        f,
        f.map((value) => value + 1),
      ),
    ).toBeCloseTo(4, 12);
  });

  test('is drawn of the channel that is asked for', () => {
    const drawing = drawingOf({ layer: 'kaf2d1', channels: 2, ...layer });
    expect(drawing.kind).toBe('surface');
    const alpha = Float32Array.of(...new Float32Array(9), ...row);
    expect(drawing.values({ alpha }, 0)).toEqual(new Float64Array(drawing.x.length ** 2));
    expect(drawing.values({ alpha }, 1)).toEqual(surfaceValues(layer, drawing.x, row));
  });
});
