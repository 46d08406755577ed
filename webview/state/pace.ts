// How fast a run steps, from the summaries that a panel sees: no pause counts, and all panels say the same.
import type { RunSummary } from '../../server/protocol/run.ts';

const window = 64;

export class Pace {
  private readonly points: { step: number; timeMs: number }[] = [];

  see(run: RunSummary): void {
    if (run.status !== 'training') this.points.length = 0;
    else if (run.step > 0) this.add(run.step, run.updatedMs);
  }

  /** Milliseconds to the last step; NaN before two points. */
  remainingMs(run: RunSummary): number {
    const first = this.points[0];
    const last = this.points.at(-1);
    if (!first || !last || last.step <= first.step || last.timeMs <= first.timeMs) return Number.NaN;
    return ((run.steps - last.step) * (last.timeMs - first.timeMs)) / (last.step - first.step);
  }

  private add(step: number, timeMs: number): void {
    const last = this.points.at(-1);
    if (last && step < last.step) this.points.length = 0; // resumed from an earlier checkpoint
    if (last?.step === step) return;
    this.points.push({ step, timeMs });
    if (this.points.length > window) this.points.shift();
  }
}
