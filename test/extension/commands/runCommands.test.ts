// What a person is asked before work on a run begins.
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunCommandParts } from '../../../extension/commands/runCommands.ts';
import { RunCommands } from '../../../extension/commands/runCommands.ts';
import { evaluationChoices, evaluationPlan } from '../../../extension/commands/evaluationChoices.ts';
import type { RunSummary } from '../../../server/protocol/run.ts';
import { attackPlan } from '../../attack/plans.ts';
import { runSummary } from '../runSummaries.ts';
import { answers, asked, workspace } from '../vscodeStandIn.ts';

vi.mock('vscode', () => import('../vscodeStandIn.ts'));

beforeEach(() => {
  asked.length = 0;
  answers.length = 0;
  workspace.isTrusted = true;
});

const checkpoint = { file: 'step-100.safetensors', step: 100, epoch: 3 };

/** Of a run whose last work did not find its data. */
const lost = runSummary({
  ...{ status: 'failed', missing: 'data', checkpoints: [checkpoint] },
  message: 'CIFAR-10 is not in /data/cifar.',
});

function commandsFor(run: RunSummary) {
  const requests: [string, unknown][] = [];
  const applied: RunSummary[] = [];
  const store = {
    runs: [run],
    get: (id: string) => (id === run.id ? run : undefined),
    apply: (changed: RunSummary) => applied.push(changed),
  };
  const connection = {
    request: (method: string, params: unknown) => {
      requests.push([method, params]);
      if (method === 'run/experiment') return Promise.resolve({ name: 'a', text: 'name: a\n', evaluation: first });
      return Promise.resolve({ ...run, status: 'queued' });
    },
  };
  const opened: unknown[][] = [];
  const openDashboard = (...of: unknown[]) => opened.push(of);
  const parts = { connection, store, openDashboard } as unknown as RunCommandParts;
  return { commands: new RunCommands(parts), requests, applied, opened };
}

const first = attackPlan('pgd', { epsilon: 4 / 255, samples: 500 });

const [pgd10, ...others] = evaluationChoices.flatMap(([, choices]) => choices);
const evaluation = evaluationPlan(pgd10!, { norm: 'linf', epsilon: 8 / 255, samples: 100 });

/** Both kinds of work that need data. */
const works: [string, (commands: RunCommands) => Promise<void>, string, object][] = [
  ['resuming', (commands) => commands.resume(lost.id), 'run/resume', {}],
  [
    'attacking',
    (commands) => commands.startEvaluation(lost.id, evaluation),
    'evaluation/start',
    { checkpoint: null, evaluation },
  ],
];

describe.each(works)('before %s a run whose data was not found', (_, work, method, params) => {
  test('one is asked where it lies now, with what was said of it, and the folder chosen is taken for this work', async () => {
    const { commands, requests, applied } = commandsFor(lost);
    answers.push('Choose Folder…', [{ fsPath: '/mnt/cifar' }]);
    await work(commands);
    expect(asked).toEqual([
      {
        how: 'showWarningMessage',
        args: [
          'The data of “kaf-light · seed 0” was not found where the run had it. Where does it lie now?',
          { modal: true, detail: 'CIFAR-10 is not in /data/cifar.' },
          'Choose Folder…',
          'Look There Again',
        ],
      },
      {
        how: 'showOpenDialog',
        args: [
          {
            ...{ title: 'Folder that holds the data', openLabel: 'Use This Folder' },
            ...{ canSelectFolders: true, canSelectFiles: false },
          },
        ],
      },
    ]);
    expect(requests).toEqual([[method, { runId: lost.id, ...params, dataFolder: '/mnt/cifar' }]]);
    expect(applied.map(({ status }) => status)).toEqual(['queued']);
  });

  test('it may be back where it was: then no folder is named', async () => {
    const { commands, requests } = commandsFor(lost);
    answers.push('Look There Again');
    await work(commands);
    expect(requests).toEqual([[method, { runId: lost.id, ...params }]]);
  });

  test.each([
    ['closes the question', []],
    ['chooses no folder', ['Choose Folder…', undefined]],
    ['chooses none of the folders', ['Choose Folder…', []]],
  ])('nothing is begun where one %s', async (_how, given) => {
    const { commands, requests } = commandsFor(lost);
    answers.push(...given);
    await work(commands);
    expect(requests).toEqual([]);
  });

  test('nothing is asked in a workspace that is not trusted, but why not is said', async () => {
    const { commands, requests } = commandsFor(lost);
    workspace.isTrusted = false;
    await work(commands);
    expect(requests).toEqual([]);
    expect(asked.map(({ args }) => args[0])).toEqual([expect.stringContaining('not trusted')]);
  });
});

test('nothing is asked of a run whose data was there', async () => {
  const { commands, requests } = commandsFor({ ...lost, missing: undefined });
  await commands.resume(lost.id);
  expect([asked, requests]).toEqual([[], [['run/resume', { runId: lost.id }]]]);
});

describe('evaluating from the palette', () => {
  const atRest = { ...lost, missing: undefined };

  test('proposes the ε and the images that the form proposes, and leads to the attack', async () => {
    const { commands, requests, opened } = commandsFor(atRest);
    answers.push({ choice: pgd10 }, '4/255', '500');
    await commands.evaluate(atRest.id);
    expect(asked.slice(1).map(({ args }) => (args[0] as { value: string }).value)).toEqual(['4/255', '500']);
    expect(requests.at(-1)).toMatchObject(['evaluation/start', { checkpoint: null, evaluation: { epsilon: 4 / 255 } }]);
    expect(opened).toEqual([[atRest.id, 'robustness']]);
  });

  test('on a checkpoint of the tree attacks that one', async () => {
    const { commands, requests } = commandsFor(atRest);
    answers.push({ choice: pgd10 }, '4/255', '500');
    await commands.evaluate({ type: 'checkpoint', run: atRest, checkpoint });
    expect(requests.at(-1)).toMatchObject(['evaluation/start', { checkpoint: checkpoint.file }]);
  });
});

describe('evaluating by something else than an attack', () => {
  const atRest = { ...lost, missing: undefined };
  const named = (attack: string) => ({ choice: others.find((choice) => choice.attack === attack) });

  test.each([
    ['smoothing', '1.5', { norm: 'l2', epsilon: 1.5, sigma: 0.25 }],
    ['metzen', '4/255', { norm: 'linf', epsilon: 4 / 255, depth: 1 }],
  ])('%s begins as it does from the form', async (attack, epsilon, plan) => {
    const { commands, requests } = commandsFor(atRest);
    answers.push(named(attack), epsilon, '40');
    await commands.evaluate(atRest.id);
    expect(requests.at(-1)).toMatchObject(['evaluation/start', { evaluation: { attack, samples: 40, ...plan } }]);
    expect(asked[0]!.args[0]).toContainEqual({ label: 'Certificates', kind: -1 });
  });

  test('transfer asks for the other network first', async () => {
    const { commands, requests } = commandsFor(atRest);
    answers.push(named('transfer'), ' another-run ', '4/255', '40');
    await commands.evaluate(atRest.id);
    expect(requests.at(-1)).toMatchObject(['evaluation/start', { evaluation: { from: 'another-run' } }]);
    const { validateInput } = asked[1]!.args[0] as { validateInput: (text: string) => string | null };
    expect([validateInput(' '), validateInput('another-run')]).toEqual([
      'Give the id of a run, or the path of a run or a checkpoint.',
      null,
    ]);
  });

  test.each([
    ['no choice', []],
    ['no other network', [named('transfer')]],
    ['no ε', [named('ibp')]],
    ['no images', [named('ibp'), '4/255']],
  ])('%s begins nothing', async (_, given) => {
    const { commands, requests } = commandsFor(atRest);
    answers.push(...given);
    await commands.evaluate(atRest.id);
    expect(requests.map(([method]) => method)).toEqual(['run/experiment']);
  });
});

describe('a checkpoint in the tree', () => {
  test('is trained on from as a new run, which is opened; nothing else is', async () => {
    const { commands, requests, opened } = commandsFor(lost);
    await commands.fork({ type: 'checkpoint', run: lost, checkpoint });
    expect([requests, opened]).toEqual([[['run/fork', { runId: lost.id, checkpoint: checkpoint.file }]], [[lost.id]]]);
    await commands.fork({ type: 'run', run: lost });
    workspace.isTrusted = false;
    await commands.fork({ type: 'checkpoint', run: lost, checkpoint });
    expect(requests).toHaveLength(1);
  });
});

describe('deleting runs', () => {
  test('asks once for all that are chosen, names them, and deletes nothing without an answer', async () => {
    const { commands, requests } = commandsFor({ ...lost, mark: { isTrashed: true } });
    await commands.emptyTrash();
    answers.push('Delete');
    await commands.emptyTrash();
    expect(asked.map(({ args }) => args[0])).toEqual(Array(2).fill('Delete the run “kaf-light · seed 0”?'));
    expect(requests).toEqual([['run/delete', { runId: lost.id }]]);
  });
});

describe('deleting a run', () => {
  test('that can’t be read is asked by its folder’s name', async () => {
    const { commands, requests } = commandsFor(runSummary({ status: 'damaged', name: 'copy-of-run' }));
    answers.push('Delete');
    await commands.delete();
    expect(asked[0]?.args[0]).toBe('Delete the run “copy-of-run”?');
    expect(requests).toEqual([['run/delete', { runId: 'run-1' }]]);
  });
});
