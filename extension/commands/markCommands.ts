// What a person notes of runs, and what the Runs view shows of them: names, tags, notes, pins, the trash.
import * as vscode from 'vscode';
import { requestErrorCodes } from '../../server/protocol/errors.ts';
import type { RunSummary } from '../../server/protocol/run.ts';
import { runTitle } from '../../server/protocol/run.ts';
import { markLimits, runMarkSchema, type RunMark } from '../../server/protocol/runMark.ts';
import { RequestFailure } from '../connection/requestFailure.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';
import type { LocalMarks } from '../runs/localMarks.ts';
import { canDo } from '../runs/runActions.ts';
import type { RunStore } from '../runs/runStore.ts';
import { runOrders, type RunOrder, type RunsView } from '../runs/runsView.ts';
import { plainLabel } from '../runs/runText.ts';
import { attempt } from '../showFailure.ts';
import { pickRuns } from './pickRun.ts';

export interface MarkCommandParts {
  readonly connection: Pick<ServerConnection, 'request'>;
  readonly store: RunStore;
  readonly localMarks: LocalMarks;
  readonly view: RunsView;
}

export class MarkCommands {
  private readonly parts: MarkCommandParts;

  constructor(parts: MarkCommandParts) {
    this.parts = parts;
  }

  async rename(...given: readonly unknown[]): Promise<void> {
    const [run] = await this.pick(given, { title: 'Rename which run?' });
    if (!run) return;
    const title = await vscode.window.showInputBox({
      title: `Rename ${runTitle(run)}`,
      ignoreFocusOut: true,
      prompt: 'What lists call the run; empty for its seed. The experiment keeps its name.',
      value: run.mark?.title ?? '',
      validateInput: (text) => (text.length > markLimits.title ? `At most ${markLimits.title} characters.` : null),
    });
    if (title !== undefined) await this.change([run], { title });
  }

  /** Of one run all its tags; of several those that they are to get besides their own. */
  async tag(...given: readonly unknown[]): Promise<void> {
    const runs = await this.pick(given, { title: 'Tag which run?' });
    const [first] = runs;
    if (!first) return;
    const isOne = runs.length === 1;
    const typed = await vscode.window.showInputBox({
      title: isOne ? `Tags of ${runTitle(first)}` : `Add Tags to ${runs.length} Runs`,
      ignoreFocusOut: true,
      prompt: 'Separated by commas. The filter finds them as #tag.',
      value: isOne ? (first.mark?.tags ?? []).join(', ') : '',
    });
    if (typed === undefined) return;
    const tags = typed.split(',').map((tag) => tag.replace(/^\s*#/, ''));
    for (const run of runs) await this.change([run], { tags: isOne ? tags : [...(run.mark?.tags ?? []), ...tags] });
  }

  async note(...given: readonly unknown[]): Promise<void> {
    const [run] = await this.pick(given, { title: 'Note on which run?' });
    if (!run) return;
    const note = await vscode.window.showInputBox({
      title: `Note on ${runTitle(run)}`,
      ignoreFocusOut: true,
      prompt: 'Shown where the pointer rests on the run; the filter finds its words.',
      value: run.mark?.note ?? '',
    });
    if (note !== undefined) await this.change([run], { note });
  }

  /** @param flag set to true, or taken away */
  async set(flag: 'isPinned' | 'isHidden', value: true | undefined, ...given: readonly unknown[]): Promise<void> {
    const verb = flag === 'isPinned' ? (value ? 'Pin' : 'Unpin') : value ? 'Hide' : 'Show';
    const fits = (run: RunSummary) => run.mark?.[flag] !== value;
    await this.change(await this.pick(given, { title: `${verb} which run?`, fits }), { [flag]: value });
  }

  /** Nothing is deleted; it can be taken back at once, and later from the trash. */
  async trash(...given: readonly unknown[]): Promise<void> {
    const fits = (run: RunSummary) => canDo('trash', run);
    const runs = (await this.pick(given, { title: 'Move which run to the trash?', fits })).filter(fits);
    const [first] = runs;
    if (!first || !(await this.change(runs, { isTrashed: true }))) return;
    const what = runs.length === 1 ? `“${plainLabel(runTitle(first))}” is` : `${runs.length} runs are`;
    const sentence = `${what} in the trash, at the end of the Runs view. Nothing was deleted.`;
    if ((await vscode.window.showInformationMessage(sentence, 'Undo')) === 'Undo')
      await this.change(runs, { isTrashed: undefined });
  }

  async restore(...given: readonly unknown[]): Promise<void> {
    const fits = (run: RunSummary) => canDo('restore', run);
    const runs = (await this.pick(given, { title: 'Take which run out of the trash?', fits })).filter(fits);
    await this.change(runs, { isTrashed: undefined });
  }

  /** Found while it is typed; the filter of before stays where nothing was chosen. */
  async filter(): Promise<void> {
    const { view } = this.parts;
    const before = view.choice.filter;
    const typed = await vscode.window.showInputBox({
      title: 'Filter Runs',
      prompt:
        'Words of name, seed, status, #tag, note or settings, all of which must be there; -word for one that must not.',
      value: before,
      validateInput: (text) => {
        view.choose({ filter: text });
        return null;
      },
    });
    view.choose({ filter: typed ?? before });
  }

  async sort(): Promise<void> {
    const { view } = this.parts;
    const items = (Object.entries(runOrders) as [RunOrder, string][]).map(([order, label]) => ({
      ...{ order, label, description: order === view.choice.order ? 'now' : '' },
    }));
    const chosen = await vscode.window.showQuickPick(items, {
      title: 'Sort Runs',
      placeHolder: 'Pinned runs come first',
    });
    if (chosen) view.choose({ order: chosen.order });
  }

  /** In their folders, or, where those can't be written, on this machine alone. False where neither could be done. */
  private async change(runs: readonly RunSummary[], change: RunMark): Promise<boolean> {
    let isDone = true;
    for (const { id } of runs) {
      const run = this.parts.store.get(id);
      if (!run) continue;
      const mark = runMarkSchema.parse(withoutUndefined({ ...run.mark, ...change }));
      await attempt('note that of the run', async () => {
        isDone = false;
        await this.write(run, mark);
        isDone = true;
      });
    }
    return isDone;
  }

  private async write(run: RunSummary, mark: RunMark): Promise<void> {
    const { connection, store, localMarks } = this.parts;
    try {
      const marked = await connection.request('run/mark', { runId: run.id, mark });
      await localMarks.forget(run.folder);
      store.apply(marked, { isDeleted: false });
    } catch (error) {
      if (!(error instanceof RequestFailure) || !unwritable.has(error.code)) throw error;
      await localMarks.set(run.folder, mark);
      store.apply(run, { isDeleted: false });
    }
  }

  private pick(
    given: readonly unknown[],
    options: { title: string; fits?: (run: RunSummary) => boolean },
  ): Promise<readonly RunSummary[]> {
    const { title, fits = () => true } = options;
    return pickRuns(this.parts.store, given, { title, fits, nothing: 'There is no such run.' });
  }
}

/** The disk refuses, or the server only shows runs. */
const unwritable: ReadonlySet<number> = new Set([requestErrorCodes.storageFailed, requestErrorCodes.wrongState]);

function withoutUndefined(mark: RunMark): RunMark {
  return Object.fromEntries(Object.entries(mark).filter(([, value]) => value !== undefined));
}
