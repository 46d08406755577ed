// What was asked of a run and has not come about yet: a step, a test or a checkpoint may have to end first.
import type { RunIntent } from '../../server/protocol/panel.ts';
import type { RunStatus, RunSummary } from '../../server/protocol/run.ts';

const underWay: Readonly<Record<RunIntent['type'], string>> = {
  pause: 'pausing…',
  resume: 'resuming…',
  stop: 'stopping…',
};

/** Forgotten as soon as the run's status is another, or the connection is lost. */
export class AskedIntents {
  private readonly asked = new Map<string, { readonly intent: RunIntent['type']; readonly status: RunStatus }>();

  ask({ id, status }: Pick<RunSummary, 'id' | 'status'>, intent: RunIntent['type']): void {
    this.asked.set(id, { intent, status });
  }

  see({ id, status }: Pick<RunSummary, 'id' | 'status'>): void {
    if (this.asked.get(id)?.status !== status) this.asked.delete(id);
  }

  forgetAll(): void {
    this.asked.clear();
  }

  /** What is under way; null where nothing is. */
  of({ id }: Pick<RunSummary, 'id'>): RunIntent['type'] | null {
    return this.asked.get(id)?.intent ?? null;
  }
}

/** `stopping…` */
export function underWayText(intent: RunIntent['type']): string {
  return underWay[intent];
}
