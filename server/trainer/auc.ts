// The area under the receiver operating characteristic, by ranks.

/**
 * The probability that a sample of class 1 scores higher than one of class 0, ties counting one half: (R − n₁(n₁+1)/2)/(n₁n₀)
 * with R the sum of class 1's ranks, tied scores sharing their mean rank (Mann & Whitney, 1947; Hanley & McNeil, 1982, §II).
 * Exact: no thresholds are binned.
 * @param scores `[n]`; NaN counts as below every other
 * @param labels `[n]`, 0 or 1
 * @returns in [0, 1]; NaN where one of the classes is missing
 */
export function areaUnderCurve(scores: Float64Array, labels: Int32Array): number {
  const rankable = scores.map((score) => (Number.isNaN(score) ? -Infinity : score));
  // The difference of equal infinities, NaN, is taken for 0.
  const order = Uint32Array.from(rankable.keys()).sort((a, b) => rankable[a]! - rankable[b]!);
  let rankSum = 0;
  let nPositive = 0;
  for (let from = 0; from < order.length;) {
    let to = from;
    while (rankable[order[to]!] === rankable[order[from]!]) to++;
    const meanRank = (from + 1 + to) / 2;
    for (let at = from; at < to; at++) {
      if (labels[order[at]!] !== 1) continue;
      rankSum += meanRank;
      nPositive++;
    }
    from = to;
  }
  const nNegative = order.length - nPositive;
  return (rankSum - (nPositive * (nPositive + 1)) / 2) / (nPositive * nNegative);
}
