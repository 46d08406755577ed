// Runs of three activations and three seeds each, as they are compared.
import { attackPlan } from '../../attack/plans.ts';
import type { AttackFigure } from '../../../server/protocol/attackFigures.ts';
import type { AttackPlan } from '../../../server/protocol/evaluationPlan.ts';
import type { ComparedRun } from '../../../server/protocol/panel.ts';
import type { LongRun } from './longData.ts';
import { makeSnapshot } from './runData.ts';

const activations = ['relu', 'swish', 'kaf'];
const seeds = [0, 1, 2];

export function comparedRuns(scene: string): ComparedRun[] {
  const { run } = makeSnapshot({ steps: 391, status: 'finished' });
  const made = activations.flatMap((activation, kind) =>
    seeds.map((seed): ComparedRun => {
      const shift = 0.02 * kind + 0.004 * Math.sin(7 * seed + kind);
      const figure = (plan: AttackPlan, share: number): AttackFigure => ({
        ...{ plan, step: 20_000, samples: 1000, standing: Math.round(1000 * share) },
      });
      const attacked = [
        figure(attackPlan('autoattack'), 0.4 + (kind === 2 ? -0.03 : shift)),
        figure(attackPlan('pgd'), 0.45 + shift),
      ];
      return {
        run: {
          ...run,
          ...{
            id: `${activation}-${seed.toString()}`,
            name: `vgg-${activation}`,
            seed,
            step: 20_000,
            steps: 20_000,
            epochs: 51,
          },
          ...{
            loss: 0.62 - shift,
            cleanAccuracy: 0.76 + shift,
            description: `vgg · ${activation} · FGSM-RS 8/255 · cifar10`,
          },
          figures: scene === 'plain' ? [] : attacked,
        },
        settings: {
          ...{ name: `vgg-${activation}`, 'dataset.name': 'cifar10', 'model.activation.type': activation, seed },
          ...(activation === 'kaf' && { 'model.activation.size': 20, 'model.activation.boundary': 3 }),
          'training.schedule.max': activation === 'kaf' ? 0.05 : 0.1,
        },
      };
    }),
  );
  return made;
}

export function comparedLongRun(index: number): LongRun {
  const isBroken = index === 8;
  return {
    nSteps: 20_000,
    normsEvery: 10,
    spikeAt: 9000 + index * 137,
    nanAt: isBroken ? 14_000 : 0,
    phase: index * 1.3,
  };
}

/** Of ten groups, each named by its number; with many settings. */
export function manyComparedRuns(count: number): ComparedRun[] {
  const some = comparedRuns('busy');
  return Array.from({ length: count }, (_, index) => {
    const { run, settings } = some[index % some.length]!;
    const name = `group ${String(index % 50)} of 50`;
    const more = Object.fromEntries(
      Array.from({ length: 80 }, (_value, key) => [`training.key${String(key)}`, index % (key + 2)]),
    );
    return { run: { ...run, id: `run-${String(index)}`, name, seed: index }, settings: { ...settings, ...more, name } };
  });
}
