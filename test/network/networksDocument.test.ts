// docs/networks.md says what is so: its example compiles, and without its flatten fails in the words that are quoted.
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';

const text = fs.readFileSync(path.join(import.meta.dirname, '../../docs/networks.md'), 'utf8');
const example = /```yaml\n(.*?)```/s.exec(text)![1]!;
const options = { file: null, homeFolder: '/' };

it('the example of declared layers compiles', () => {
  const { plans, issues } = compileExperiment(example, options);
  expect(issues).toEqual([]);
  expect(plans[0]!.model.network).toMatchObject({ type: 'layers' });
});

it('the mistake that is quoted is what is said without the flatten', () => {
  const { issues } = compileExperiment(example.replace(/ *- flatten\n/, ''), options);
  const said = issues.map(
    ({ path: at, expected, got, remedy }) => `${at}: expected ${expected}, got ${got} — ${remedy}`,
  );
  expect(said).toHaveLength(1);
  expect(text).toContain(`> ${said[0]}`);
});
