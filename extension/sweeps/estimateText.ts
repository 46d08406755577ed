// What is said of a sweep before it has run. No `vscode`.
import { formatDuration } from '../../server/protocol/duration.ts';
import type { SweepEstimate } from '../../server/protocol/sweep.ts';
import { byteSize } from '../runs/runText.ts';

/** `about 3 h 20 min, 4 at once · about 1.2 GB`; of one that is partly done, of what is left, with how many those are. */
export function estimateText({ nCells, nLeft, atOnce, ms, bytes }: SweepEstimate): string {
  if (nLeft === 0) return `all ${nCells} runs done`;
  const left = nLeft === nCells ? [] : [`${nLeft} of ${nCells} left`];
  const known =
    ms === null || bytes === null
      ? ['time and disk unknown until the first cell ran']
      : [`about ${formatDuration(ms)}${atOnce > 1 ? `, ${atOnce} at once` : ''}`, `about ${byteSize(bytes)}`];
  return [...left, ...known].join(' · ');
}
