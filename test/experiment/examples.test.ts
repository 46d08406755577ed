// The example workspace: every file in it must be right, and stay small enough to be a first try where it says so.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { describePlan } from '../../server/experiment/describePlan.ts';

const folder = path.join(import.meta.dirname, '../../examples');
const files = fs.readdirSync(folder).filter((name) => name.endsWith('.kaf.yaml'));

function compile(name: string, overrides: Record<string, unknown> = {}) {
  const file = path.join(folder, name);
  return compileExperiment(fs.readFileSync(file, 'utf8'), { file, homeFolder: '/home/user', overrides });
}

describe('the example experiments', () => {
  it('are these', () => {
    const descriptions = files.map((name) => [name, compile(name).plans.map(describePlan)]);
    expect(Object.fromEntries(descriptions)).toEqual({
      'kaf-light.kaf.yaml': ['light · KAF 20 from swish · standard · shapes'],
      'kaf-light-robust.kaf.yaml': ['light · KAF 20 from swish · FGSM-RS 8/255 · shapes'],
      'kaf-light-cifar10.kaf.yaml': ['light · KAF 20 · standard · cifar10'],
      'own-layers.kaf.yaml': ['own layers · KAF 20 from swish · standard · shapes'],
      'kaf-vgg.kaf.yaml': ['vgg · KAF 20 · FGSM-RS 8/255 · cifar10'],
    });
  });

  it.each(files)('%s compiles without an issue, under its own name', (name) => {
    const { issues, plans, name: experimentName } = compile(name);
    expect(issues).toEqual([]);
    expect(plans.length).toBeGreaterThan(0);
    expect(`${experimentName}.kaf.yaml`).toBe(name);
  });

  it.each(files)('%s can be tried for one epoch', (name) => {
    expect(compile(name, { 'training.epochs': 1 }).plans[0]?.training.epochs).toBe(1);
  });

  it.each(files)('%s is told of in the README', (name) => {
    expect(fs.readFileSync(path.join(folder, 'README.md'), 'utf8')).toContain(`(${name})`);
  });
});
