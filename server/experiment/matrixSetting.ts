// The sweep of an experiment as a setting: its keys are paths of other keys, what it holds are values for them.
import { list, paths, type Setting } from './setting.ts';

/** As many as a Slurm array has places by default; more are seldom meant. */
export const maxCells = 1000;

/** @param root the experiment's keys, to which the paths lead */
export function matrixSetting(root: () => Setting) {
  const rows = (description: string) =>
    list(description, paths('Values by the path of their key.', 'values', root), {
      maxLength: maxCells,
      computed: '[]',
    });
  return paths(
    `A sweep: a run, its cell, for each combination of these values, at most ${maxCells}. A key is the path of another key (\`model.activation\`).`,
    'lists',
    root,
    {
      zip: rows(
        'Values that go together: each mapping is one value of one axis, `{model.activation: kaf, training.epochs: 40}`.',
      ),
      include: rows('Cells besides the combinations: what the experiment says, changed by these values alone.'),
      exclude: rows('Cells to leave out: those that have all of these values.'),
    },
  );
}
