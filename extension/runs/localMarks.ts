// Marks of runs whose folders are not ours to write in: kept by VS Code, on this machine, by the run's folder.
import { isEmptyMark, runMarkSchema, type RunMark } from '../../server/protocol/runMark.ts';
import type { Keeper } from './runsView.ts';

const key = 'kafscope.marks';
const most = 2000;

export class LocalMarks {
  private readonly keeper: Keeper;
  private readonly marks: Map<string, RunMark>;

  constructor(keeper: Keeper) {
    this.keeper = keeper;
    const kept = keeper.get(key);
    const entries = typeof kept === 'object' && kept !== null ? Object.entries(kept) : [];
    this.marks = new Map(
      entries.flatMap(([folder, mark]) => {
        const parsed = runMarkSchema.safeParse(mark).data;
        return parsed ? [[folder, parsed] as const] : [];
      }),
    );
  }

  of(folder: string): RunMark | undefined {
    return this.marks.get(folder);
  }

  /** An empty mark is kept too, where the folder has one that is not ours to change. */
  async set(folder: string, mark: RunMark): Promise<void> {
    this.marks.delete(folder);
    this.marks.set(folder, mark);
    await this.save();
  }

  async forget(folder: string): Promise<void> {
    if (this.marks.delete(folder)) await this.save();
  }

  private async save(): Promise<void> {
    for (const folder of [...this.marks.keys()].slice(0, Math.max(0, this.marks.size - most)))
      this.marks.delete(folder);
    await this.keeper.update(key, Object.fromEntries(this.marks));
  }
}

/** The run with the mark that is kept here, if there is one. */
export function withLocalMark<Run extends { readonly folder: string; readonly mark?: RunMark | undefined }>(
  run: Run,
  marks: LocalMarks,
): Run {
  const mark = marks.of(run.folder);
  if (!mark) return run;
  return { ...run, mark: isEmptyMark(mark) ? undefined : mark };
}
