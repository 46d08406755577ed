// Where the other network of an attack by transfer lies, from an experiment file to its plan and back.
import { describe, expect, it } from 'vitest';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { writeExperiment } from '../../server/experiment/writeExperiment.ts';

const options = { file: '/projects/kafnets/first.kaf.yaml', homeFolder: '/home/user' };

describe('the network that a transfer is made on', () => {
  const from = (written: string, file: string | null = '/experiments/a.kaf.yaml') => {
    const text = `evaluation: [{attack: transfer, from: '${written}'}]`;
    return compileExperiment(text, { file, homeFolder: '/home/user' }).plans[0]?.evaluation[0];
  };

  it.each([
    ['20261123-034501-kaf-light-s0', '20261123-034501-kaf-light-s0'],
    ['runs/one', '/experiments/runs/one'],
    ['./one', '/experiments/one'],
    ['..', '/'],
    ['one.safetensors', '/experiments/one.safetensors'],
    ['~/runs/one', '/home/user/runs/one'],
    ['/runs/one/checkpoints/step-4.safetensors', '/runs/one/checkpoints/step-4.safetensors'],
  ])('%s is the id of a run as it stands, or a path from the file’s folder', (written, planned) => {
    expect(from(written)).toMatchObject({ from: planned });
  });

  it('comes back from the plan as an experiment that compiles to it', () => {
    for (const written of ['runs/one', '20261123-034501-kaf-light-s0']) {
      const { plans } = compileExperiment(`evaluation: [{attack: transfer, from: ${written}}]`, options);
      const again = compileExperiment(writeExperiment(plans[0]!), { file: null, homeFolder: '/' });
      expect(again.plans[0]?.evaluation).toEqual(plans[0]!.evaluation);
    }
  });
});
