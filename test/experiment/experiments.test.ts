// The sweeps of the thesis's experiments: each compiles, without a warning that is not said here, and has as many cells as its list says.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { issueText } from '../../server/protocol/issue.ts';

const folder = path.join(import.meta.dirname, '../../experiments');
const files = fs.readdirSync(folder).filter((name) => name.endsWith('.kaf.yaml'));
const compiled = Object.fromEntries(
  files.map((name) => {
    const file = path.join(folder, name);
    return [name, compileExperiment(fs.readFileSync(file, 'utf8'), { file, homeFolder: '/home/user' })];
  }),
);

/** As the thesis has it all the same. */
const warned: Readonly<Record<string, string[]>> = {
  'thesis-resnet20.kaf.yaml': [
    'model.activation.init.ridge: expected a smooth target, got "relu" in the cell kaf init ridge relu',
  ],
};

describe('the sweeps of the thesis’s experiments', () => {
  it.each(files)('%s compiles without an issue, under its own name', (name) => {
    const { issues, name: own } = compiled[name]!;
    expect(issues.map(issueText)).toEqual(warned[name] ?? []);
    expect(`${own}.kaf.yaml`).toBe(name);
  });

  it('are those that their list names, with as many runs', () => {
    const text = fs.readFileSync(path.join(folder, 'README.md'), 'utf8');
    const listed = [...text.matchAll(/^\| \[(\S+)\]\(\1\) +\|[^|]*\| (\d+) +\|/gm)].map(([, name, count]) => [
      name,
      Number(count),
    ]);
    const made = files.map((name) => [name, compiled[name]!.cells.length]);
    expect(new Map(listed as [string, number][])).toEqual(new Map(made as [string, number][]));
  });

  it('have the settings of Table 7.1 in the thesis’s', () => {
    const cells = compiled['thesis-vgg-table-7-1.kaf.yaml']!.cells;
    const rates = cells.map(({ plan }) => plan.training.schedule);
    expect(rates.map((one) => ('max' in one ? [one.min, one.max] : []))).toEqual([
      ...[
        [1e-4, 0.08],
        [1e-4, 0.1],
        [0.01, 1],
        [1e-4, 0.1],
        [1e-4, 0.3],
        [1e-4, 0.8],
        [0.01, 2],
      ],
    ]);
    for (const { plan } of cells) {
      expect(plan).toMatchObject({
        model: { network: 'vgg' },
        training: {
          method: { type: 'fgsm-rs' },
          threat: { norm: 'linf', epsilon: 8 / 255, stepSize: 10 / 255 },
          ...{ epochs: 60, batchSize: 128, optimizer: { type: 'sgd', momentum: 0 } },
        },
      });
      expect(plan.evaluation[0]).toMatchObject({ attack: 'pgd', steps: 50, restarts: 10, protocol: 'thesis' });
    }
  });
});
