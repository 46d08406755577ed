// Bounds of layer and group normalisation.

export interface GroupNormParts {
  readonly nSamples: number;
  readonly nChannels: number;
  readonly groups: number;
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly epsilon: number;
}

/**
 * z = (xᵢ − μ)/√(s² + ε): what is above is linear in x, so known exactly on a box, xᵢ(1 − 1/n) − Σ_{j≠i} xⱼ/n; and s, the length of
 * x − μ over √n, changes by at most ‖r‖₂/√n from the middle of the box, r its half widths.
 */
export function groupNormBox(
  low: Float32Array,
  high: Float32Array,
  parts: GroupNormParts,
): [low: Float32Array, high: Float32Array] {
  const { nSamples, nChannels, groups, gamma, beta, epsilon } = parts;
  const [least, most] = [new Float32Array(low.length), new Float32Array(low.length)];
  const nRows = low.length / nSamples / nChannels;
  const width = nChannels / groups;
  for (let sample = 0; sample < nSamples; sample++) {
    for (let group = 0; group < groups; group++) {
      const members: number[] = [];
      for (let row = 0; row < nRows; row++)
        for (let c = group * width; c < (group + 1) * width; c++) members.push((sample * nRows + row) * nChannels + c);
      const n = members.length;
      let [sumLow, sumHigh, mean, radii] = [0, 0, 0, 0];
      for (const at of members) {
        sumLow += low[at]!;
        sumHigh += high[at]!;
        mean += (low[at]! + high[at]!) / 2 / n;
        radii += ((high[at]! - low[at]!) / 2) ** 2;
      }
      const square = members.reduce((sum, at) => sum + ((low[at]! + high[at]!) / 2 - mean) ** 2, 0) / n;
      const reach = Math.sqrt(radii / n);
      const [shortest, longest] = [Math.max(0, Math.sqrt(square) - reach), Math.sqrt(square) + reach].map((s) =>
        Math.sqrt(s * s + epsilon),
      ) as [number, number];
      for (const at of members) {
        const bottom = low[at]! * (1 - 1 / n) - (sumHigh - high[at]!) / n;
        const top = high[at]! * (1 - 1 / n) - (sumLow - low[at]!) / n;
        const [from, to] = [bottom / (bottom < 0 ? shortest : longest), top / (top > 0 ? shortest : longest)];
        const [scale, shift] = [gamma[at % nChannels]!, beta[at % nChannels]!];
        least[at] = shift + Math.min(scale * from, scale * to);
        most[at] = shift + Math.max(scale * from, scale * to);
      }
    }
  }
  return [least, most];
}
