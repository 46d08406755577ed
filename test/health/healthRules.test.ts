// Where each rule begins to speak, on records made by hand.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { depthGain, depthKinds, mainKind } from '../../server/health/depthGain.ts';
import { healthRules } from '../../server/health/healthRules.ts';
import { hasFailed, HealthWatch } from '../../server/health/healthWatch.ts';
import { healthRuleNames, type HealthFinding } from '../../server/protocol/health.ts';
import type { Plan } from '../../server/protocol/plan.ts';
import type { ParameterInfo, PreparedRecord, RunRecord } from '../../server/protocol/records.ts';
import { tinyPlan } from '../trainer/tinyPlan.ts';

/** `conv1` … `convN` with a bias each, then a dense layer. */
function plainStack(nConvolutions: number): ParameterInfo[] {
  const layers = Array.from({ length: nConvolutions }, (_, index) => `conv${String(index + 1)}`);
  return [
    ...layers.flatMap((layer) => [
      { name: `${layer}.kernel`, layer, shape: [3, 3, 4, 4] },
      { name: `${layer}.bias`, layer, shape: [4] },
    ]),
    { name: 'dense1.kernel', layer: 'dense1', shape: [4, 10] },
  ];
}

function prepared(parameters: readonly ParameterInfo[], stepsPerEpoch = 100): PreparedRecord {
  return { type: 'prepared', parameters, activations: [], steps: stepsPerEpoch, stepsPerEpoch, epochs: 1 };
}

function norms(step: number, gradients: readonly number[], weights = gradients.map(() => 1)): RunRecord {
  const counts = () => new Int32Array(gradients.length);
  return {
    ...{ type: 'norms', step, weights: Float32Array.from(weights), gradients: Float32Array.from(gradients) },
    ...{ nonFiniteWeights: counts(), nonFiniteGradients: counts() },
  };
}

function findings(records: readonly RunRecord[], plan: Plan = tinyPlan): HealthFinding[] {
  const watch = new HealthWatch(plan);
  return records.flatMap((record) => watch.see(record));
}

const names = (found: readonly HealthFinding[]) => found.map(({ rule, step }) => `${rule} at ${String(step)}`);

/** Kernels' gradients that grow by `gain` a layer on the way back from 0.01; of biases rounding alone. */
function growing(nConvolutions: number, gain: number): number[] {
  return plainStack(nConvolutions).map(({ name, layer }) =>
    name.endsWith('.bias') ? 1e-9 : layer === 'dense1' ? 5 : 0.01 * gain ** (nConvolutions - Number(layer.slice(4))),
  );
}

describe('the gain across depth', () => {
  it('is the factor of a layer on the way back; zeros and what is not finite have no say, and are counted', () => {
    const norms = [0, 1, 2, 3, 4, 5, 6, 7].map((depth) => 0.02 * 1.5 ** (7 - depth));
    norms[2] = 0;
    norms[4] = Number.NaN;
    const depth = depthGain(norms);
    expect(depth.gain).toBeCloseTo(1.5, 12);
    expect(depth.first).toBeCloseTo(0.02 * 1.5 ** 7, 12);
    expect(depth).toMatchObject({ nZero: 1, nNonFinite: 1 });
    expect(depthGain([3]).gain).toBeNaN();
    expect(depthGain([3, 0]).gain).toBeNaN();
  });

  it('is measured over convolutions, over dense layers where there are fewer than three of these', () => {
    const kinds = depthKinds([
      ...plainStack(3),
      { name: 'bn1.gamma', layer: 'bn1', shape: [4] },
      { name: 'kaf1.alpha', layer: 'kaf1', shape: [4, 5] },
    ]);
    expect(kinds).toEqual([
      { name: 'conv', parameters: [0, 2, 4] },
      { name: 'dense', parameters: [6] },
      { name: 'normalisation', parameters: [7] },
      { name: 'activation', parameters: [8] },
    ]);
    expect(mainKind(kinds)).toBe(kinds[0]);
    expect(mainKind(depthKinds(plainStack(2)))).toMatchObject({ name: 'dense' });
    expect(mainKind([])).toBeNull();
  });
});

describe('the rules', () => {
  it('say that gradients explode or vanish from a factor of 1000 over the whole depth on, by the first norms alone', () => {
    const parameters = plainStack(21);
    const at = (gain: number) => names(findings([prepared(parameters), norms(1, growing(21, gain))]));
    const limit = 1000 ** (1 / 20);
    expect(at(limit * 1.001)).toEqual(['exploding-gradients at 1']);
    expect(at(limit * 0.999)).toEqual([]);
    expect(at(1 / limit / 1.001)).toEqual(['vanishing-gradients at 1']);
    expect(at(1 / limit / 0.999)).toEqual([]);
    const later = [prepared(parameters), norms(1, growing(21, 1)), norms(2, growing(21, 2))];
    expect(names(findings(later))).toEqual([]);
  });

  it('tell how many gradients float16 could not hold', () => {
    const [found] = findings([prepared(plainStack(21)), norms(1, growing(21, 3))]);
    // Of 3·3·4·4 values a norm above 12 · 65,504 has one above 65,504 for certain: 0.01 · 3²⁰ to 0.01 · 3¹⁷ are.
    expect(found!.evidence).toContain('In float16 at least 4 of 43 gradients would not be finite.');
    expect(found).toMatchObject({ layer: 'conv1' });
    expect(found!.evidence).toContain(
      '×3.00 a layer on the way back through 21 layers: 1.0e-2 at conv21, 3.5e+7 at conv1',
    );
  });

  it('find parameters that have a gradient of exactly 0 in two records, a tenth of them and three at least', () => {
    const parameters = plainStack(10);
    const dead = (...indices: number[]) => parameters.map((_, index) => (indices.includes(index) ? 0 : 1));
    const of = (...rows: number[][]) =>
      names(findings([prepared(parameters), ...rows.map((row, index) => norms(index + 1, row))]));
    expect(of(dead(0, 1, 2), dead(0, 1, 2))).toEqual(['zero-gradients at 2']);
    expect(of(dead(0, 1, 2), dead())).toEqual([]);
    expect(of(dead(0, 1, 2), dead(3, 4, 5))).toEqual([]);
    expect(of(dead(0, 1), dead(0, 1), dead(0, 1))).toEqual([]);
    const many = plainStack(20);
    const four = many.map((_, index) => (index < 4 ? 0 : 1));
    expect(names(findings([prepared(many), norms(1, four), norms(2, four)]))).toEqual([]);
    expect(findings([prepared(parameters), norms(1, dead(3, 4, 5)), norms(2, dead(3, 4, 5))])[0]).toMatchObject({
      layer: 'conv2',
      evidence: '3 of 21 parameters have a gradient of exactly 0, conv2.bias the first of them.',
    });
  });

  it('find weights out of every scale, and those that jumped by a hundred times to where that counts', () => {
    const parameters = plainStack(3);
    const flat = parameters.map(() => 1);
    const of = (...weights: number[]) =>
      findings([
        prepared(parameters),
        ...weights.map((weight, index) => norms(index + 1, flat, [weight, ...flat.slice(1)])),
      ]);
    expect(names(of(11_990))).toEqual([]); // conv1.kernel has 144 values: a root mean square of 999
    expect(names(of(12_010))).toEqual(['weights-jump at 1']);
    expect(names(of(1.3, 121))).toEqual([]);
    expect(names(of(1.2, 121))).toEqual(['weights-jump at 2']);
    expect(names(of(1, 119))).toEqual([]);
    expect(of(1.2, 121)[0]).toMatchObject({ layer: 'conv1' });
    expect(of(1.2, 121)[0]!.evidence).toBe('The norm of conv1.kernel is 1.2e+2 after 1.2e+0 at the record before.');
  });

  it('find a test that is not finite, once', () => {
    const test = (epoch: number, loss: number): RunRecord => ({
      ...{
        type: 'test',
        step: epoch * 10,
        epoch,
        loss,
        accuracy: 0,
        samples: 4,
        robustAccuracy: null,
        robustSamples: 0,
      },
    });
    const records = [prepared(plainStack(3)), test(1, 2.3), test(2, Number.NaN), test(3, Infinity)];
    expect(names(findings(records))).toEqual(['test-not-finite at 20']);
    expect(findings(records)[0]!.evidence).toBe('After epoch 2 the test loss is NaN, the accuracy 0.0 %.');
  });

  it('find a first epoch whose second half is no better than guessing', () => {
    const epoch = (stepsPerEpoch: number, loss: (step: number) => number, plan: Plan = tinyPlan) =>
      names(
        findings(
          [
            prepared(plainStack(3), stepsPerEpoch),
            ...Array.from({ length: stepsPerEpoch * 2 }, (_, index): RunRecord => {
              const step = index + 1;
              return { type: 'step', step, epoch: 1, loss: loss(step), accuracy: 0, learningRate: 1 };
            }),
          ],
          plan,
        ),
      );
    const guessing = Math.log(10); // the classes of `shapes`
    expect(epoch(50, (step) => (step > 25 ? guessing : 0.1))).toEqual(['nothing-learnt at 50']);
    expect(epoch(50, (step) => (step > 25 ? 0.998 * guessing : 9))).toEqual([]);
    expect(epoch(49, () => 9)).toEqual([]);
    const leastSquares: Plan = { ...tinyPlan, training: { ...tinyPlan.training, loss: 'least-squares' } };
    expect(epoch(50, () => 9, leastSquares)).toEqual([]);
  });

  it('pass on what the watch has found, in its words', () => {
    const look: RunRecord = { type: 'watch', step: 50, samples: 32, of: 'validation', fgsm: 0.9, pgd: 0, cosine: 0.1 };
    const end: RunRecord = {
      type: 'collapsed',
      step: 100,
      action: 'tell',
      to: null,
      message: '90 % withstand one step.',
    };
    const found = findings([prepared(plainStack(3)), look, end, { ...end, step: 200 }]);
    expect(found).toEqual([{ rule: 'collapsed', step: 100, evidence: '90 % withstand one step.' }]);
  });

  it('see nothing before the network is known, and all have a text that ends in what to do', () => {
    expect(findings([norms(1, growing(21, 3))])).toEqual([]);
    expect(Object.keys(healthRules)).toEqual([...healthRuleNames]);
    for (const { title, meaning, remedy } of Object.values(healthRules)) {
      expect(title).not.toMatch(/[.!]$/);
      expect(meaning).toMatch(/\.$/);
      expect(remedy).toMatch(/\.$/);
    }
  });

  it('are all in the document, with their severity', () => {
    const document = fs.readFileSync(path.join(import.meta.dirname, '../../docs/health.md'), 'utf8');
    for (const name of healthRuleNames) {
      const row = document.split('\n').find((line) => line.includes(`\`${name}\``));
      expect(row).toContain(`**${healthRules[name].title}**`);
      expect(row).toMatch(new RegExp(`${healthRules[name].severity} *\\|$`));
    }
  });

  it('make a run a failure by a failure alone', () => {
    const found = (rule: HealthFinding['rule']) => [{ rule, step: 1, evidence: '' }];
    expect(healthRuleNames.filter((rule) => hasFailed(found(rule)))).toEqual([
      ...['test-not-finite', 'zero-gradients', 'weights-jump'],
    ]);
    expect(hasFailed([])).toBe(false);
  });
});
