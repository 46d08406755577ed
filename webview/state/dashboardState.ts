// What the dashboard knows, as a fold over the host's messages. The snapshot's columns grow in place (they may hold millions of
// values); every message that changes something gives a new outer object, so that a panel sees it by identity.
import type { AttackedImages } from '../../server/protocol/attackedImages.ts';
import type { ConnectionState, ToDashboard } from '../../server/protocol/panel.ts';
import { applyRow, type RunSnapshot } from '../../server/protocol/snapshot.ts';

export interface DashboardState {
  readonly snapshot: RunSnapshot | null;
  readonly connection: ConnectionState;
  /** The run was deleted. */
  readonly isGone: boolean;
  /** How much of a long run's log is read, in [0, 1]; null where nothing is known. */
  readonly reading: number | null;
  /** What failed last; the next snapshot clears it. */
  readonly failure: string | null;
  /** Of the evaluation that was asked for last; null before any came. */
  readonly attacked: {
    readonly evaluation: number;
    readonly images: AttackedImages | null;
    readonly failure: string | null;
  } | null;
}

export const emptyDashboard: DashboardState = {
  snapshot: null,
  connection: { status: 'starting' },
  isGone: false,
  reading: null,
  failure: null,
  attacked: null,
};

export function reduceDashboard(state: DashboardState, message: ToDashboard): DashboardState {
  switch (message.type) {
    case 'snapshot':
      return { ...state, snapshot: message.snapshot, isGone: false, reading: null, failure: null };
    case 'rows': {
      const { snapshot } = state;
      if (snapshot?.run.id !== message.runId) return state;
      for (const row of message.rows) applyRow(snapshot, row);
      return { ...state };
    }
    case 'run':
      if (state.snapshot?.run.id !== message.run.id) return state;
      state.snapshot.run = message.run;
      return { ...state };
    case 'runGone':
      return state.snapshot?.run.id === message.runId ? { ...state, isGone: true } : state;
    case 'connection':
      return { ...state, connection: message.connection };
    case 'attackedImages':
      return { ...state, attacked: { evaluation: message.evaluation, images: message.images, failure: null } };
    case 'noAttackedImages':
      return { ...state, attacked: { evaluation: message.evaluation, images: null, failure: message.message } };
    case 'reading':
      return { ...state, reading: message.totalBytes > 0 ? message.doneBytes / message.totalBytes : null };
    case 'showTab': // the panel itself has it
    case 'view':
    case 'series': // the feed of series has it
      return state;
    case 'failed':
      return { ...state, failure: message.message };
    default:
      return message satisfies never;
  }
}
