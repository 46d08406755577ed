// The colour scale of values with a sign, from purple through white at 0 to green (Brewer 2003, PRGn): neither is a colour that means something
// elsewhere.
import { colorBetween, type ColorStops } from './viridis.ts';

const stops: ColorStops = [
  [118, 42, 131],
  [175, 141, 195],
  [231, 212, 232],
  [247, 247, 247],
  [217, 240, 211],
  [127, 191, 123],
  [27, 120, 55],
];

/** Red, green and blue in 0…255 at `position` in [−1, 1]; beyond the ends, the ends. */
export function diverging(position: number): readonly [number, number, number] {
  return colorBetween(stops, (position + 1) / 2);
}
