// Drives one run from its plan to its end: pulls the trainer's records, writes them, and turns every way in which it can end
// into a status and a sentence. How training works, and who asks for it, is not known here.
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { EvaluationSoFar } from '../attack/evaluationState.ts';
import type { KeptBatch } from '../attack/keptImages.ts';
import { DataError } from '../data/dataError.ts';
import { withDataFolder } from '../experiment/withDataFolder.ts';
import { findingText } from '../health/healthWatch.ts';
import { isAttackPlan, keptImages, surrogatePlaces } from '../protocol/evaluationPlan.ts';
import type { EvaluationPlan, Plan, TorchDeviceName } from '../protocol/plan.ts';
import type { RunStatus, RunSummary } from '../protocol/run.ts';
import { AttackedImagesFile, attackedImagesName } from './attackedImages.ts';
import { readCheckpoint } from './checkpointFile.ts';
import type { RunControl } from './runControl.ts';
import { mergedParts } from './mergedParts.ts';
import { checkpointsFolder } from './runFolder.ts';
import { openSurrogates } from './openSurrogate.ts';
import { RunRecorder } from './runRecorder.ts';
import type { RecorderOptions } from './runRecorder.ts';
import { StorageError } from './storageError.ts';
import type { SurrogatePlan, Surrogates } from '../trainer/surrogate.ts';
import type { TrainingState } from '../trainer/trainingState.ts';
import type { OpenTrainer, Trainer } from './trainer.ts';

interface AnyWork {
  /** The number of the log that the work begins: whoever asked has seen those before it. */
  readonly incarnation: number;
  /** Absolute path of the folder that the data lies in now; the plan's where it is left out. */
  readonly dataFolder?: string | undefined;
  /** Threads of the runtime; the plan's where they are left out. */
  readonly threads?: number | undefined;
  /** Of several GPUs the one to take, where the plan names none. */
  readonly device?: TorchDeviceName | undefined;
  /** Folders of the runs that have done parts of its attacks, in the order of the images. */
  readonly parts?: readonly string[] | undefined;
}

export type Work =
  /** From the newest checkpoint that is whole, or from the start. */
  | (AnyWork & { readonly type: 'train' })
  | (AnyWork & { readonly type: 'evaluate'; readonly checkpoint: string; readonly evaluation: EvaluationPlan })
  /** Those of some that the weights have not been through, each from its last whole batch. */
  | (AnyWork & { readonly type: 'evaluate'; readonly checkpoint: string; readonly wanted: readonly EvaluationPlan[] })
  /** An evaluation that was cut off or stopped, from its last whole batch. */
  | (AnyWork & { readonly type: 'evaluate'; readonly continues: number });

export interface RunPlanOptions extends RecorderOptions {
  readonly openTrainer: OpenTrainer;
  readonly control: RunControl;
  /** Gets what only developers understand: the stack of an error that is our bug. */
  readonly log: (text: string) => void;
}

/**
 * Always ends with the run at rest and its summary; an error becomes the run's status `failed`.
 * @throws SupersededError where another process has begun work on it, before anything is done; StorageError where the folder can't be
 * read or written.
 */
export async function runPlan(work: Work, options: RunPlanOptions): Promise<RunSummary> {
  const recorder = new RunRecorder(work.type, work.incarnation, options);
  for (const fault of recorder.faults) options.log(fault);
  let end: Pick<RunSummary, 'status' | 'message' | 'missing'>;
  try {
    end = await new Drive(work, recorder, options).run();
  } catch (error) {
    if (isOurBug(error)) options.log(error.stack ?? error.message);
    const missing = error instanceof DataError && error.kind === 'missing' ? ('data' as const) : undefined;
    end = { status: recorder.restStatus ?? 'failed', message: sentence(error), missing };
  }
  try {
    recorder.update(end);
  } catch {
    // The disk is what failed, or the run is another's by now: `update` has announced the end, and whoever reads the folder finds a
    // run without a process, or the other's work.
  } finally {
    recorder.close();
  }
  return recorder.summary;
}

class Drive {
  readonly #work: Work;
  readonly #recorder: RunRecorder;
  readonly #options: RunPlanOptions;
  readonly #plan: Plan;

  constructor(work: Work, recorder: RunRecorder, options: RunPlanOptions) {
    this.#work = work;
    this.#recorder = recorder;
    this.#options = options;
    this.#plan = recorder.origin.plan;
  }

  async run(): Promise<{ status: RunStatus; message: string | null }> {
    const { control, openTrainer, folder } = this.#options;
    const restStatus = this.#recorder.restStatus;
    const asked = this.#work.type === 'evaluate' ? this.#asked(this.#work) : null;
    const planned = this.#plan.evaluation.filter((one) => !this.#plan.part || isAttackPlan(one));
    const wanted = asked?.wanted ?? planned;
    const surrogates = asked ? new Map() : this.#plannedSurrogates();
    const checkpoint = asked ? asked.checkpoint : this.#recorder.checkpointToResume;
    const from = checkpoint ? readCheckpoint(path.join(checkpointsFolder(folder), checkpoint)).state : null;
    const { dataFolder = null, threads = this.#plan.threads, device = this.#plan.device } = this.#work;
    const placed = { ...this.#plan, threads, ...(device && { device }) };
    const trainer = await openTrainer(withDataFolder(placed, dataFolder));
    this.#recorder.update({ device: trainer.device });

    if (asked) {
      if (asked.evaluation) {
        if (from && !control.ending) await this.#evaluate(trainer, asked.evaluation, from, asked.before);
      } else await this.#evaluateAll(trainer, wanted, from);
      return { status: restStatus ?? 'finished', message: null };
    }
    const { state, end } = control.ending ? { state: from, end: null } : await this.#train(trainer, from, surrogates);
    if (end) return end;
    const unsound = this.#recorder.summary.health?.find(({ rule }) => rule === 'test-not-finite');
    if (unsound) return { status: 'diverged', message: findingText(unsound) };
    await this.#evaluateAll(trainer, wanted, state);
    return control.ending ?? { status: 'finished', message: null };
  }

  /** Before hours of training rather than after; their weights are not kept meanwhile. @throws SurrogateError | StorageError */
  #plannedSurrogates(): Map<string, SurrogatePlan> {
    const opened = this.#plan.evaluation.flatMap((evaluation) => [...this.#surrogates(evaluation, null)]);
    return new Map(opened.map(([place, { file, plan }]) => [place, { file, plan }]));
  }

  async #train(trainer: Trainer, from: TrainingState | null, surrogates: ReadonlyMap<string, SurrogatePlan>) {
    const { control } = this.#options;
    this.#recorder.openEvents(from ? from.step + 1 : 1);
    this.#recorder.update({ status: 'training' });
    let state = from;
    let end: { readonly status: RunStatus; readonly message: string | null } | null = null;
    const events = trainer.train(this.#plan, { from, signal: control.signal, surrogates });
    for await (const event of this.#pull(trainer, events)) {
      if (event.type === 'checkpoint') {
        state = event.state;
        this.#recorder.checkpoint(state);
        continue;
      }
      const { record } = event;
      if (from && record.type === 'prepared') continue; // in the log already
      if (record.type === 'diverged') end = { status: 'diverged', message: record.message };
      // Why is told by the rule of health that passes it on.
      if (record.type === 'collapsed' && record.action === 'stop') end = { status: 'stopped', message: null };
      this.#recorder.record(record);
    }
    return { state, end };
  }

  /** What is done on these weights already is not done again. */
  async #evaluateAll(trainer: Trainer, wanted: readonly EvaluationPlan[], state: TrainingState | null): Promise<void> {
    for (const evaluation of wanted) {
      if (this.#options.control.ending || !state) break;
      const before = this.#recorder.evaluations.findLast(
        (one) => one.step === state.step && isDeepStrictEqual(one.plan, evaluation),
      );
      if (!before?.isDone) await this.#evaluate(trainer, evaluation, state, before ?? null);
    }
  }

  /** What an evaluation is of, and how far it has come. @throws StorageError where there is no such evaluation, or its checkpoint is gone */
  #asked(work: Extract<Work, { type: 'evaluate' }>) {
    if ('wanted' in work) return { ...work, evaluation: null, before: null };
    if ('checkpoint' in work) return { ...work, wanted: null, before: null };
    const before = this.#recorder.evaluations.find(({ number }) => number === work.continues);
    const checkpoint = this.#recorder.summary.checkpoints.findLast(({ step }) => step === before?.step)?.file;
    if (!before || before.isDone) {
      throw new StorageError(`Evaluation ${String(work.continues)} of this run is not one to go on with.`);
    }
    if (!checkpoint) {
      throw new StorageError(
        `The checkpoint of step ${String(before.step)}, which evaluation ${String(work.continues)} attacked, is gone. Start a new one.`,
      );
    }
    return { checkpoint, evaluation: before.plan, wanted: null, before };
  }

  /** @param before of the same evaluation, which goes on; null for a new one */
  async #evaluate(
    trainer: Trainer,
    evaluation: EvaluationPlan,
    state: TrainingState,
    before: EvaluationSoFar | null,
  ): Promise<void> {
    this.#recorder.update({ status: 'evaluating' });
    const number = before?.number ?? this.#recorder.nextEvaluation();
    const images = keptImages(evaluation) > 0 ? this.#imagesFile(evaluation, state.step, number) : null;
    const parts = before?.state ? null : mergedParts(this.#work.parts ?? [], evaluation, state.step);
    if (parts?.kept) images?.write(parts.kept);
    // What is evaluated by hand is so on all images.
    const isPlanned = this.#plan.evaluation.some((one) => isDeepStrictEqual(one, evaluation));
    try {
      const surrogates = this.#surrogates(evaluation, before);
      const records = trainer.evaluate(this.#plan, evaluation, {
        ...{ state, number, signal: this.#options.control.signal, surrogates },
        ...(before && { from: before.state }),
        ...(isPlanned && { part: this.#plan.part }),
        merged: parts?.merged,
        ...(images && {
          onKept: (batch: KeptBatch) => {
            images.write(batch);
          },
        }),
      });
      for await (const record of this.#pull(trainer, records)) this.#recorder.record(record);
    } finally {
      images?.close();
    }
  }

  #surrogates(evaluation: EvaluationPlan, before: EvaluationSoFar | null): Surrogates {
    const places = surrogatePlaces(evaluation, this.#plan.evaluation);
    return openSurrogates(places, { runsFolder: path.dirname(this.#options.folder), before: before?.surrogates ?? [] });
  }

  #imagesFile(evaluation: EvaluationPlan, step: number, number: number): AttackedImagesFile {
    const file = path.join(checkpointsFolder(this.#options.folder), attackedImagesName(step, number));
    return new AttackedImagesFile(file, { evaluation, runId: this.#recorder.origin.id });
  }

  /** Passes the trainer's events on, and asks for the next only while the run isn't paused. */
  async *#pull<Event>(trainer: Trainer, events: AsyncGenerator<Event>): AsyncGenerator<Event> {
    const { control } = this.#options;
    try {
      for (;;) {
        if (control.isPaused) await this.#pause();
        const next = await events.next();
        if (next.done) break;
        this.#recorder.noteMemory(trainer.memory());
        yield next.value;
      }
    } finally {
      await events.return(undefined);
    }
  }

  async #pause(): Promise<void> {
    const { status } = this.#recorder.summary;
    this.#recorder.update({ status: 'paused' });
    await this.#options.control.untilResumed();
    this.#recorder.rest();
    this.#recorder.update({ status });
  }
}

/** Errors of the layers below carry a sentence; one that doesn't is our bug, and its kind helps to find it. */
function sentence(error: unknown): string {
  if (isOurBug(error)) return `Kafscope failed (${error.name}: ${error.message}). Please report it.`;
  return error instanceof Error ? error.message : String(error);
}

function isOurBug(error: unknown): error is Error {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
}
