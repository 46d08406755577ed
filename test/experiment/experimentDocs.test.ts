// docs/experiment.md and docs/formulas.md are generated; here they are compared with what the script would write today.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { experimentMarkdown } from '../../server/experiment/experimentMarkdown.ts';

const root = path.join(import.meta.dirname, '../..');

describe('docs/experiment.md', () => {
  it('and docs/formulas.md are what scripts/experimentDocs.mjs makes of the settings and formulas', async () => {
    const script = path.join(root, 'scripts/experimentDocs.mjs');
    const { stderr } = await promisify(execFile)(process.execPath, [script, '--check'], { cwd: root });
    expect(stderr).toBe('');
  });

  it('has a row for every key and every equation', () => {
    const text = experimentMarkdown();
    for (const key of [
      'trainSamples',
      'dictionary',
      'stepSize',
      'weightDecay',
      'cooldownEpochs',
      'robustSteps',
      'restarts',
    ]) {
      expect(text).toContain(`| \`${key}\` |`);
    }
    expect(text).toContain('f(x) = Σᵢ αᵢ κ(x, dᵢ);  κ = exp(−γ(x − d)²) for Gaussian kernels');
    expect(text).toContain('x₀ ~ U(B(x, ε))');
  });

  it('is made from the settings alone', () => {
    expect(fs.readFileSync(path.join(root, 'docs/experiment.md'), 'utf8')).toContain('do not edit');
  });
});
