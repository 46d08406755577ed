// Numbers that are the same at every look.

export interface Random {
  normal(): number;
}

/** Lehmer's generator with Box and Muller's normal numbers: enough for pictures. */
export function makeRandom(seed: number): Random {
  let state = seed;
  const uniform = (): number => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  return { normal: () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()) };
}

export function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
