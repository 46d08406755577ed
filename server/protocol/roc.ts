// How well a score tells attacked images from clean ones, whatever threshold is put on it.

export interface Roc {
  /** False alarms and detections, from (0, 0) to (1, 1): one point for each threshold. */
  readonly falseAlarms: readonly number[];
  readonly detections: readonly number[];
  /** The chance that an attacked image scores higher than a clean one, ties half (Hanley & McNeil, 1982). NaN without either. */
  readonly area: number;
}

/** @param clean and @param attacked scores, higher the more an image looks attacked */
export function rocOf(clean: ArrayLike<number>, attacked: ArrayLike<number>): Roc {
  const all = [
    ...Array.from(clean, (score) => ({ score, isAttacked: false })),
    ...Array.from(attacked, (score) => ({ score, isAttacked: true })),
  ].sort((a, b) => b.score - a.score);
  const [falseAlarms, detections] = [[0], [0]];
  let [nClean, nAttacked, area] = [0, 0, 0];
  all.forEach(({ score, isAttacked }, index) => {
    if (isAttacked) nAttacked++;
    else nClean++;
    // Equal scores are one threshold.
    if (all[index + 1]?.score === score) return;
    const [x, y] = [nClean / clean.length, nAttacked / attacked.length];
    area += ((x - falseAlarms.at(-1)!) * (y + detections.at(-1)!)) / 2;
    falseAlarms.push(x);
    detections.push(y);
  });
  return { falseAlarms, detections, area: all.length === 0 ? Number.NaN : area };
}

/** The most detections with at most that share of false alarms. */
export function detectionsAt({ falseAlarms, detections }: Roc, share: number): number {
  return detections[falseAlarms.findLastIndex((x) => x <= share + 1e-12)]!;
}
