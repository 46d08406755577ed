// Whether two networks differ, from what became of the same images under both.

/** Images on which one network stands and the other does not. */
export interface Discordance {
  readonly onlyFirst: number;
  readonly onlySecond: number;
}

/**
 * The exact test of McNemar (1947): of the images on which the two differ, each is as likely to side with either if the networks are
 * equally robust. @returns the two-sided p of a binomial of ½; 1 where they differ on none
 */
export function mcNemarP({ onlyFirst, onlySecond }: Discordance): number {
  const n = onlyFirst + onlySecond;
  const fewer = Math.min(onlyFirst, onlySecond);
  // ln of C(n, k)/2ⁿ, so that thousands of images do not underflow.
  let logTerm = -n * Math.LN2;
  let tail = 0;
  for (let k = 0; k <= fewer; k++) {
    tail += Math.exp(logTerm);
    logTerm += Math.log((n - k) / (k + 1));
  }
  return Math.min(1, 2 * tail);
}

/** @param first and @param second by image, as records have them: 2 stands; of the same length */
export function discordance(first: Uint8Array, second: Uint8Array): Discordance {
  let [onlyFirst, onlySecond] = [0, 0];
  first.forEach((outcome, image) => {
    if (outcome === 2 && second[image] !== 2) onlyFirst++;
    if (outcome !== 2 && second[image] === 2) onlySecond++;
  });
  return { onlyFirst, onlySecond };
}
