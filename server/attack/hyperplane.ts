// The nearest point of a hyperplane within the values that a sample may have, the projection of Croce & Hein (2020, FAB).

export interface Hyperplane {
  /** <w, z> + b = 0. */
  readonly w: Float32Array;
  readonly b: number;
  /** In which distance is measured. */
  readonly norm: 'linf' | 'l2';
  readonly bounds: readonly [low: number, high: number] | null;
}

/**
 * The shortest offset from x to the hyperplane that stays within the bounds; where none gets there, the one that comes nearest.
 * Each coordinate moves by min(λ·s, its room), s = 1 under L∞ and |w| under L2. How far that takes <w, z> rises with λ ever more
 * slowly, along straight pieces: Newton's method from below meets the λ in as many steps as there are pieces on its way.
 * @returns offset `[d]` and its length in the norm
 */
export function onHyperplane(
  x: Float32Array,
  { w, b, norm, bounds }: Hyperplane,
): { offset: Float32Array; length: number } {
  const size = x.length;
  let value = b;
  for (let i = 0; i < size; i++) value += w[i]! * x[i]!;
  const away = value > 0 ? -1 : 1; // the way in which <w, z> has to go
  const gap = Math.abs(value);
  const room = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const isUp = w[i]! * away > 0;
    room[i] = w[i] === 0 ? 0 : bounds ? (isUp ? bounds[1] - x[i]! : x[i]! - bounds[0]) : Infinity;
  }
  const weight = Float64Array.from(w, Math.abs);
  const speed = norm === 'linf' ? new Float64Array(size).fill(1) : weight;
  let lambda = 0;
  for (;;) {
    let [reached, slope] = [0, 0];
    for (let i = 0; i < size; i++) {
      if (lambda * speed[i]! < room[i]!) {
        reached += weight[i]! * lambda * speed[i]!;
        slope += weight[i]! * speed[i]!;
      } else reached += weight[i]! * room[i]!;
    }
    if (slope === 0 || reached >= gap) break;
    const next = lambda + (gap - reached) / slope;
    if (!(next > lambda)) break;
    lambda = next;
  }
  const offset = new Float32Array(size);
  let [largest, sum] = [0, 0];
  for (let i = 0; i < size; i++) {
    const moved = Math.min(lambda * speed[i]!, room[i]!) * Math.sign(w[i]!) * away;
    offset[i] = moved;
    largest = Math.max(largest, Math.abs(moved));
    sum += moved * moved;
  }
  return { offset, length: norm === 'linf' ? largest : Math.sqrt(sum) };
}
