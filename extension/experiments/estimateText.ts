// What is said of an experiment's runs before they have run. No `vscode`.
import { formatDuration } from '../../server/protocol/duration.ts';
import type { Estimate } from '../../server/protocol/sweep.ts';
import { byteSize } from '../runs/runText.ts';

/**
 * `about 3 h 20 min, 4 at once · about 1.2 GB on disk · 210 MB of memory each`; of a sweep that is partly done, of what is left, with how
 * many those are.
 */
export function estimateText({ nCells, nLeft, atOnce, ms, bytes, stepBytes }: Estimate): string {
  if (nLeft === 0) return `all ${nCells} runs done`;
  const left = nLeft === nCells ? [] : [`${nLeft} of ${nCells} left`];
  const order = nLeft === 1 ? '' : atOnce > 1 ? `, ${atOnce} at once` : ', one at a time';
  const known =
    ms === null || bytes === null
      ? ['time and disk unknown until a run like it has ended']
      : [`about ${formatDuration(ms)}${order}`, `about ${byteSize(bytes)} on disk`];
  const memory = stepBytes === null ? [] : [`${byteSize(stepBytes)} of memory${nLeft === 1 ? '' : ' each'}`];
  return [...left, ...known, ...memory].join(' · ');
}
