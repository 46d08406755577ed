// The colour scale of magnitudes (van der Walt and Smith 2015), from eleven of its colours.

/** Red, green and blue, evenly spread. */
export type ColorStops = readonly (readonly [number, number, number])[];

const stops: ColorStops = [
  [68, 1, 84],
  [72, 36, 117],
  [65, 68, 135],
  [53, 95, 141],
  [42, 120, 142],
  [33, 145, 140],
  [34, 168, 132],
  [68, 191, 112],
  [122, 209, 81],
  [189, 223, 38],
  [253, 231, 37],
];

/** Red, green and blue in 0…255 at `position` in [0, 1]; beyond the ends, the ends. */
export function viridis(position: number): readonly [number, number, number] {
  return colorBetween(stops, position);
}

export function colorBetween(stops: ColorStops, position: number): readonly [number, number, number] {
  const scaled = Math.min(1, Math.max(0, position)) * (stops.length - 1);
  const index = Math.min(stops.length - 2, Math.floor(scaled));
  const left = stops[index]!;
  const right = stops[index + 1]!;
  const part = scaled - index;
  const mix = (channel: 0 | 1 | 2): number => Math.round(left[channel] + (right[channel] - left[channel]) * part);
  return [mix(0), mix(1), mix(2)];
}

/** For a CSS gradient from low to high. */
export const viridisGradient = `linear-gradient(90deg, ${stops.map((stop) => `rgb(${stop.join(' ')})`).join(', ')})`;
