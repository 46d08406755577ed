// What becomes of what a person notes of runs.
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { MarkCommands } from '../../../extension/commands/markCommands.ts';
import { RequestFailure } from '../../../extension/connection/requestFailure.ts';
import { LocalMarks, withLocalMark } from '../../../extension/runs/localMarks.ts';
import type { RunStore } from '../../../extension/runs/runStore.ts';
import { RunsView } from '../../../extension/runs/runsView.ts';
import { requestErrorCodes } from '../../../server/protocol/errors.ts';
import type { RunSummary } from '../../../server/protocol/run.ts';
import type { RunMark } from '../../../server/protocol/runMark.ts';
import { keeper } from '../keeper.ts';
import { runSummary } from '../runSummaries.ts';
import { answers, asked } from '../vscodeStandIn.ts';

vi.mock('vscode', () => import('../vscodeStandIn.ts'));

beforeEach(() => {
  asked.length = 0;
  answers.length = 0;
});

/** @param code of a server that refuses to write */
function desk(runs: readonly RunSummary[], code: number | null = null) {
  const byId = new Map(runs.map((run) => [run.id, run]));
  const localMarks = new LocalMarks(keeper());
  const sent: [string, RunMark][] = [];
  const store = {
    get: (id: string) => byId.get(id),
    apply: (run: RunSummary) => byId.set(run.id, withLocalMark(run, localMarks)),
    get runs() {
      return [...byId.values()];
    },
  } as unknown as RunStore;
  const connection = {
    request: (method: string, { runId, mark }: { runId: string; mark: RunMark }) => {
      if (code !== null) return Promise.reject(new RequestFailure(method, 'no', { code, isRetryable: false }));
      sent.push([runId, mark]);
      return Promise.resolve({ ...byId.get(runId)!, mark });
    },
  };
  const view = new RunsView(keeper());
  const commands = new MarkCommands({ connection: connection as never, store, localMarks, view });
  return { commands, sent, store, localMarks, view };
}

const run = runSummary({ id: 'a', status: 'finished', mark: { title: 'old', tags: ['x'] } });
const other = runSummary({ id: 'b', status: 'finished', folder: '/runs/b' });
const live = runSummary({ id: 'c', status: 'training', folder: '/runs/c' });
const node = (of: RunSummary) => ({ type: 'run', run: of });

describe('a mark', () => {
  test('changes what was asked for and keeps the rest; what is emptied is gone', async () => {
    const { commands, sent } = desk([run]);
    answers.push('new', undefined, '', 'y, #z,, y', 'a note');
    await commands.rename(node(run));
    await commands.rename(node(run));
    await commands.rename(node(run));
    await commands.tag(node(run));
    await commands.note(node(run));
    await commands.set('isPinned', true, node(run));
    await commands.set('isPinned', undefined, node(run));
    expect(sent.map(([, mark]) => mark)).toEqual([
      { title: 'new', tags: ['x'] },
      { tags: ['x'] },
      { tags: ['y', 'z'] },
      { tags: ['y', 'z'], note: 'a note' },
      { tags: ['y', 'z'], note: 'a note', isPinned: true },
      { tags: ['y', 'z'], note: 'a note' },
    ]);
  });

  test('of several rows is one for each, tags besides those that they have', async () => {
    const { commands, sent } = desk([run, other]);
    answers.push('paper');
    await commands.tag(node(run), [node(run), node(other)]);
    expect(sent).toEqual([
      ['a', { title: 'old', tags: ['x', 'paper'] }],
      ['b', { tags: ['paper'] }],
    ]);
  });

  test('is of the row alone that was clicked outside of those that are chosen', async () => {
    const { commands, sent } = desk([run, other, live]);
    await commands.set('isHidden', true, node(live), [node(run), node(other)]);
    expect(sent.map(([id]) => id)).toEqual(['c']);
  });

  test.each([requestErrorCodes.storageFailed, requestErrorCodes.wrongState])(
    'that the server may not write (%i) is kept on this machine',
    async (code) => {
      const { commands, store, localMarks } = desk([run], code);
      answers.push('mine');
      await commands.rename(node(run));
      expect([localMarks.of(run.folder), store.get('a')?.mark]).toEqual([
        { title: 'mine', tags: ['x'] },
        { title: 'mine', tags: ['x'] },
      ]);
      expect(asked.map(({ how }) => how)).toEqual(['showInputBox']);
    },
  );

  test('that fails in another way is said, and nothing is kept', async () => {
    const { commands, localMarks, store } = desk([run], requestErrorCodes.internal);
    answers.push('mine');
    await commands.rename(node(run));
    expect(asked.map(({ how }) => how)).toEqual(['showInputBox', 'showErrorMessage']);
    expect([localMarks.of(run.folder), store.get('a')]).toEqual([undefined, run]);
  });
});

describe('the trash', () => {
  test('takes what is at rest, deletes nothing, and gives it back at once', async () => {
    const { commands, sent } = desk([run, other, live]);
    answers.push('Undo');
    await commands.trash(node(run), [node(run), node(other), node(live)]);
    expect(asked[0]?.args[0]).toBe('2 runs are in the trash, at the end of the Runs view. Nothing was deleted.');
    expect(sent).toEqual([
      ['a', { title: 'old', tags: ['x'], isTrashed: true }],
      ['b', { isTrashed: true }],
      ['a', { title: 'old', tags: ['x'] }],
      ['b', {}],
    ]);
  });

  test('gives back later what is asked for', async () => {
    const { commands, sent } = desk([{ ...run, mark: { title: 'old', isTrashed: true } }]);
    await commands.restore('a');
    expect(sent).toEqual([['a', { title: 'old' }]]);
  });

  test('makes no link or icon of a name', async () => {
    const { commands } = desk([{ ...other, name: '[x](command:y) $(zap)' }]);
    await commands.trash('b');
    expect(asked[0]?.args[0]).toContain('“[x] (command:y) $ (zap) · seed 0” is in the trash');
  });
});

describe('the filter', () => {
  test('stays as it was where nothing is chosen', async () => {
    const { commands, view } = desk([run]);
    view.choose({ filter: 'before' });
    await commands.filter();
    expect(view.choice.filter).toBe('before');
    answers.push('kaf');
    await commands.filter();
    expect(view.choice.filter).toBe('kaf');
  });
});
