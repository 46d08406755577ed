// What a person is asked before work on a run begins.
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunCommandParts } from '../../../extension/commands/runCommands.ts';
import { RunCommands } from '../../../extension/commands/runCommands.ts';
import { attackChoices, evaluationPlan } from '../../../extension/commands/evaluationChoices.ts';
import type { RunSummary } from '../../../server/protocol/run.ts';
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
      return Promise.resolve({ ...run, status: 'queued' });
    },
  };
  const parts = { connection, store, openDashboard: () => undefined } as unknown as RunCommandParts;
  return { commands: new RunCommands(parts), requests, applied };
}

const evaluation = evaluationPlan(attackChoices[0]!, 8 / 255, 100);

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

describe('deleting a run', () => {
  test('that can’t be read is asked by its folder’s name', async () => {
    const { commands, requests } = commandsFor(runSummary({ status: 'damaged', name: 'copy-of-run' }));
    answers.push('Delete');
    await commands.delete();
    expect(asked[0]?.args[0]).toBe('Delete the run “copy-of-run”?');
    expect(requests).toEqual([['run/delete', { runId: 'run-1' }]]);
  });
});
