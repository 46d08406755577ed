// How much gradients grow per convolution on their way back in the runs of a sweep of residual networks, at their first step:
// node scripts/node24.mjs test/bench/gradientGrowth.ts SWEEP-FOLDER. Prints CSV: the norm of the gradient of the last convolution on the
// way and of the first, and the growth per convolution between them.
import path from 'node:path';
import { glance } from '../../server/run/runGlance.ts';
import { LifeWatch } from '../../server/run/lifeWatch.ts';
import { RunHistory } from '../../server/run/runHistory.ts';
import { runsFolderOf } from '../../server/sweep/sweepFolder.ts';
import { sweepState } from '../../server/sweep/sweepState.ts';

const folder = path.resolve(process.argv[2] ?? '');
const { summary } = sweepState(folder, new LifeWatch());
console.log('cell,seed,convolutions,last,first,growth per convolution,plan');
for (const { name, identity, runId } of summary.cells) {
  if (runId === null) continue;
  const runFolder = path.join(runsFolderOf(folder), runId);
  const norms = firstNorms(runFolder);
  if (norms.length < 2) continue;
  const [first, last] = [norms[0]!, norms.at(-1)!];
  const growth = (first / last) ** (1 / (norms.length - 1));
  const { seed } = glance(runFolder).summary;
  const figures = [first, last].map((value) => value.toPrecision(4));
  console.log([name, seed, norms.length, figures[1], figures[0], growth.toFixed(4), identity.slice(0, 12)].join(','));
}

/** Of the gradients of the convolutions' kernels on the way through, first to last: those on skips lie beside it. */
function firstNorms(runFolder: string): number[] {
  const history = new RunHistory(runFolder);
  let kernels: number[] = [];
  let norms: number[] = [];
  try {
    history.forEachRow(0, ({ record }) => {
      if (record.type === 'prepared') {
        kernels = record.parameters.flatMap(({ name, shape }, index) =>
          shape.length === 4 && !name.includes('skip') ? [index] : [],
        );
      }
      if (record.type === 'norms' && norms.length === 0) norms = kernels.map((index) => record.gradients[index]!);
    });
  } finally {
    history.close();
  }
  return norms;
}
