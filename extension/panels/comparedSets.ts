// What a panel compares: runs that a person chose, or the cells of a sweep, which get their runs while it works. Knows no `vscode`.
import type { Event } from 'vscode-jsonrpc/node';
import type { ComparedRun } from '../../server/protocol/panel.ts';
import type { SweepSummary } from '../../server/protocol/sweep.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';
import type { RunStore } from '../runs/runStore.ts';
import type { SweepStore } from '../sweeps/sweepStore.ts';

/** As a page keeps it over a reload of the window. */
export type ComparedSource = { readonly runIds: readonly string[] } | { readonly sweepId: string };

export interface ComparedSet {
  /** Of a sweep those that there are now. */
  readonly runIds: () => readonly string[];
  /** @throws Error with a sentence for people where there is nothing to compare */
  readonly load: () => Promise<readonly ComparedRun[]>;
  readonly sweep: {
    readonly get: () => SweepSummary | undefined;
    readonly countBytes: () => Promise<number>;
    readonly onDidChange: Event<void>;
  } | null;
}

export interface ComparedSetParts {
  readonly connection: Pick<ServerConnection, 'request'>;
  readonly store: Pick<RunStore, 'get' | 'refresh'>;
  readonly sweeps: Pick<SweepStore, 'get' | 'refresh' | 'onDidChange'>;
}

export function comparedSet(source: ComparedSource, parts: ComparedSetParts): ComparedSet {
  return 'sweepId' in source ? cellsOf(source.sweepId, parts) : chosenRuns(source.runIds, parts);
}

/** What a page saved; null where it is none. */
export function comparedSourceIn(state: unknown): ComparedSource | null {
  if (typeof state !== 'object' || state === null) return null;
  if ('sweepId' in state && typeof state.sweepId === 'string') return { sweepId: state.sweepId };
  if (!('runIds' in state) || !Array.isArray(state.runIds)) return null;
  const runIds = state.runIds.filter((id): id is string => typeof id === 'string');
  return runIds.length > 0 ? { runIds } : null;
}

/** Runs that are gone by now are left out. */
function chosenRuns(runIds: readonly string[], { connection, store }: ComparedSetParts): ComparedSet {
  return {
    runIds: () => runIds,
    load: async () => {
      // After a reload of the window the page may be there before the list.
      if (runIds.some((runId) => !store.get(runId))) await store.refresh();
      const runs = runIds.flatMap((runId) => store.get(runId) ?? []);
      if (runs.length === 0) throw new Error('None of these runs is there any more.');
      const { settings } = await connection.request('run/settings', { runIds: runs.map(({ id }) => id) });
      return runs.map((run, index) => ({ run, settings: settings[index] ?? null }));
    },
    sweep: null,
  };
}

/** Told apart by what the matrix says, so no plan need be read. */
function cellsOf(sweepId: string, { connection, store, sweeps }: ComparedSetParts): ComparedSet {
  const get = () => sweeps.get(sweepId);
  const runIds = () => (get()?.cells ?? []).flatMap((cell) => cell.runId ?? []);
  return {
    runIds,
    load: async () => {
      if (!get()) await sweeps.refresh();
      const sweep = get();
      if (!sweep) throw new Error('This sweep is not there any more.');
      if (runIds().some((runId) => !store.get(runId))) await store.refresh();
      return sweep.cells.flatMap(({ name, values, runId }) => {
        const run = runId === null ? undefined : store.get(runId);
        return run ? [{ run, settings: { ...values, seed: run.seed }, cell: name }] : [];
      });
    },
    sweep: {
      get,
      countBytes: async () => (await connection.request('sweep/size', { sweepId })).bytes,
      onDidChange: sweeps.onDidChange,
    },
  };
}
