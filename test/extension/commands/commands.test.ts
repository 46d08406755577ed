import { describe, expect, test } from 'vitest';
import {
  evaluationChoices,
  evaluationPlan,
  mostEpsilon,
  parseEpsilon,
  parseSamples,
  placesOf,
  proposedPlan,
} from '../../../extension/commands/evaluationChoices.ts';
import { issueSentence } from '../../../extension/commands/issueSentence.ts';
import { connectionLost, lostConnection, RequestFailure } from '../../../extension/connection/requestFailure.ts';
import { experimentName, experimentTemplate } from '../../../extension/experiments/experimentTemplate.ts';
import { failureMessage } from '../../../extension/failureMessage.ts';
import { requestErrorCodes } from '../../../server/protocol/errors.ts';
import { compileExperiment } from '../../../server/experiment/compileExperiment.ts';
import { evaluationPlanSchema } from '../../../server/protocol/evaluationSchema.ts';
import { evaluationKind, evaluationNames } from '../../../server/protocol/evaluationTable.ts';
import { attackPlan } from '../../attack/plans.ts';

describe('Evaluate Run…', () => {
  test.each([
    ['8/255', 8 / 255],
    [' 0.03 ', 0.03],
    ['.5', 0.5],
    ['1', 1],
    ['0', null],
    ['9/8', null],
    ['8/0', null],
    ['8/', null],
    ['-1/255', null],
    ['1e-2', null],
    ['', null],
  ])('reads ε %o as %o', (text, expected) => {
    expect(parseEpsilon(text)).toBe(expected);
  });

  test.each([
    ['1000', 1000],
    ['0', null],
    ['1.5', null],
    ['many', null],
  ])('reads a number of images %o as %o', (text, expected) => {
    expect(parseSamples(text)).toBe(expected);
  });

  test('takes larger ε where the norm allows it', () => {
    expect(parseEpsilon('3', 100)).toBe(3);
    expect(mostEpsilon({ attack: 'pgd', norm: 'l2' })).toBe(100);
    expect(mostEpsilon({ attack: 'pgd', norm: 'linf' })).toBe(1);
  });

  const every = evaluationChoices.flatMap(([, choices]) => choices);

  test('offers every attack, certificate and detector that there is, each under its kind', () => {
    expect(new Set(every.map(({ attack }) => attack))).toEqual(new Set(evaluationNames));
    for (const [kind, choices] of evaluationChoices) {
      expect(new Set(choices.map(({ attack }) => evaluationKind(attack)))).toEqual(new Set([kind]));
    }
    expect(every.slice(0, 4).map(({ label }) => label)).toEqual(['PGD-10', 'PGD-20', 'PGD-50-10', 'AutoAttack']);
    expect(new Set(every.map(({ label }) => label)).size).toBe(every.length);
  });

  const linf = attackPlan('pgd', { epsilon: 4 / 255, samples: 2000 });
  const l2 = attackPlan('pgd', { norm: 'l2', epsilon: 2, samples: 50 });

  test.each(every.map((choice) => [choice.label, choice] as const))(
    'proposes and makes of %s a plan that the server accepts',
    (_, choice) => {
      const places = Object.fromEntries(placesOf(choice.attack).map(([name]) => [name, 'a-run']));
      for (const first of [linf, l2]) {
        const proposed = proposedPlan(choice, first);
        const plan = evaluationPlan(choice, { norm: proposed.norm, epsilon: proposed.epsilon, samples: 30, ...places });
        expect(evaluationPlanSchema.parse(plan)).toEqual(plan);
        expect(plan).toMatchObject({ ...choice.settings, ...places, samples: 30 });
        if ('stepSize' in plan) expect(plan.stepSize).toBeCloseTo(plan.epsilon / 4, 12);
      }
    },
  );

  test('proposes the threat and the images of the run where the evaluation can have them', () => {
    const proposal = (attack: string, first: typeof linf) => {
      const { norm, epsilon, samples } = proposedPlan(
        every.find((choice) => choice.attack === attack)!,
        first,
      );
      return [norm, epsilon, samples];
    };
    expect(proposal('pgd', linf)).toEqual(['linf', 4 / 255, 2000]);
    expect(proposal('pgd', l2)).toEqual(['l2', 2, 50]);
    expect(proposal('ibp', linf)).toEqual(['linf', 4 / 255, 1000]);
    expect(proposal('ibp', l2)).toEqual(['linf', 8 / 255, 50]);
    // Ten thousand passes an image.
    expect(proposal('smoothing', linf)).toEqual(['l2', 0.5, 100]);
    expect(proposal('smoothing', l2)).toEqual(['l2', 2, 50]);
  });

  test('asks for what has no default', () => {
    expect(every.filter(({ attack }) => placesOf(attack).length > 0).map(({ attack }) => attack)).toEqual(['transfer']);
  });
});

describe('what a failure says', () => {
  test('one sentence with the reason, and what can be done about it', () => {
    const refused = new RequestFailure('run/start', 'no such folder: /data', {
      code: requestErrorCodes.internal,
      isRetryable: true,
    });
    expect(failureMessage('start the run', refused, { canRetry: true })).toEqual({
      sentence: 'Could not start the run: no such folder: /data.',
      actions: ['Retry', 'Show Log'],
    });
  });

  test.each([
    ['a lost connection', lostConnection('run/pause'), ['Retry', 'Restart Server', 'Show Log']],
    ['another version', failure(requestErrorCodes.versionMismatch), ['Restart Server', 'Show Log']],
    ['a wrong state', failure(requestErrorCodes.wrongState), ['Show Log']],
    ['what is no request', new Error('no space left'), ['Retry', 'Show Log']],
  ])('%s offers %o', (_, error, actions) => {
    expect(failureMessage('pause the run', error, { canRetry: true }).actions).toEqual(actions);
  });

  test('a lost connection names the request', () => {
    expect(lostConnection('run/pause')).toMatchObject({ method: 'run/pause', code: connectionLost });
    expect(lostConnection('run/pause').message).toContain('"run/pause"');
  });

  test('a mistake in an experiment says where, what was expected, what was found and what to do', () => {
    const position = { line: 8, character: 2 };
    const issue = {
      path: 'training.threat.epsilon',
      range: { start: position, end: position },
      severity: 'error' as const,
      expected: 'a number in (0, 1]',
      got: '"fast"',
      remedy: 'Write it as 8/255.',
    };
    expect(issueSentence(issue)).toBe(
      'line 9, training.threat.epsilon: expected a number in (0, 1], found "fast". Write it as 8/255.',
    );
  });
});

describe('New Experiment', () => {
  test.each([
    ['my experiment', 'my-experiment'],
    ['kaf.kaf.yaml', 'kaf'],
    ['../up/there', 'up-there'],
    ['Größe 8/255', 'Größe-8-255'],
    [' … ', null],
  ])('makes of %o the name %o', (typed, expected) => {
    expect(experimentName(typed)).toBe(expected);
  });

  test.each(['my-experiment', '12', 'Größe'])('writes a file for %o in which nothing is wrong', (name) => {
    const compiled = compileExperiment(experimentTemplate(name), { file: null, homeFolder: '/home' });
    expect(compiled.issues).toEqual([]);
    expect(compiled.plans.map((plan) => plan.name)).toEqual([name]);
  });
});

function failure(code: number): RequestFailure {
  return new RequestFailure('run/pause', 'No.', { code, isRetryable: false });
}
