// `kafscope train`: runs an experiment in this process, without a server.
import os from 'node:os';
import path from 'node:path';
import { describePlan } from '../experiment/describePlan.ts';
import { hasFailed } from '../health/healthWatch.ts';
import { figureName, figureText } from '../protocol/attackFigures.ts';
import { isLive, isResumable, whyNotResumable } from '../protocol/run.ts';
import type { RuntimeChoice } from '../protocol/plan.ts';
import type { Row } from '../protocol/records.ts';
import type { RunSummary } from '../protocol/run.ts';
import { bytesText, stepBytesOf } from '../trainer/planMemory.ts';
import { RunControl } from '../run/runControl.ts';
import { checkpointsFolder, createRun, readOrigin } from '../run/runFolder.ts';
import { runPlan } from '../run/runPlan.ts';
import type { CellTask } from '../sweep/owedEvaluations.ts';
import { systemClock } from '../run/runRecorder.ts';
import type { OpenTrainer } from '../run/trainer.ts';
import { compileFile } from './compileFile.ts';
import { onInterrupt } from './interrupt.ts';
import { dataAdvice, isOtherRuntime, openerWith, planChange, refuseChanges } from './overrides.ts';
import { percent } from './reportEvaluation.ts';
import { RunReport } from './reportRun.ts';
import { lookAtRun, runFolderOf } from './runAt.ts';
import { exitCodes, UsageError } from './terminal.ts';
import type { Terminal } from './terminal.ts';

export interface TrainCommand {
  readonly file: string | null;
  /** `a.b=c` */
  readonly set: readonly string[];
  readonly runtime: RuntimeChoice | null;
  readonly threads: string | null;
  /** Where the data of a run to resume lies now. */
  readonly data: string | null;
  readonly runsFolder: string;
  /** A run's folder, or its name in the runs folder. */
  readonly resume: string | null;
}

export interface CommandContext {
  readonly terminal: Terminal;
  readonly openTrainer: OpenTrainer;
  readonly version: string;
}

/** @throws UsageError | StorageError @returns the exit code */
export async function trainCommand(command: TrainCommand, context: CommandContext): Promise<number> {
  if (command.resume !== null) return resumeCommand(command, command.resume, context);
  if (command.file === null) throw new UsageError('Name an experiment file, or a run to resume: kafscope train FILE.');
  if (command.data !== null) {
    throw new UsageError('--data names where the data of a run to resume lies now. In a new run set dataset.path.');
  }
  const runs = createRuns(command, command.file, context);
  if (!runs) return exitCodes.usage;
  let code: number = exitCodes.done;
  for (const run of runs) {
    const ended = await trainOne(run, context);
    if (ended === exitCodes.interrupted) return ended;
    code = Math.max(code, ended);
  }
  return code;
}

async function resumeCommand(command: TrainCommand, run: string, context: CommandContext): Promise<number> {
  refuseChanges(run, command);
  const { runsFolder, runtime } = command;
  const openTrainer = openerWith(command, context.openTrainer);
  const folder = runFolderOf(run, runsFolder);
  const { summary, place } = await lookAtRun(folder, context.terminal);
  if (!isResumable(summary)) {
    throw new UsageError(
      isLive(summary.status)
        ? `Run ${summary.id} is at work${place ? ` (${place})` : ''}. Pause or stop it where it was started.`
        : `Run ${summary.id} is ${summary.status} with ${String(summary.step)} of ${String(summary.steps)} steps done: ${whyNotResumable(summary)}.`,
    );
  }
  planChange(command)(readOrigin(folder).plan); // says what can't be before the run is touched
  if (isOtherRuntime(runtime, summary.device)) {
    const message = `Run ${summary.id} was trained on ${String(summary.device)}. On ${String(runtime)} its records from here on differ in their last bits.`;
    context.terminal.error(message);
    context.terminal.event({ type: 'notice', message });
  }
  return trainOne(summary, { ...context, openTrainer });
}

function createRuns(command: TrainCommand, given: string, { terminal, version }: CommandContext): RunSummary[] | null {
  const compiled = compileFile(given, readOverrides(command), terminal);
  if (!compiled) return null;
  const { plans, text, file } = compiled;
  const versions = { kafscope: version, node: process.versions.node };
  return plans.map((plan) =>
    createRun(
      command.runsFolder,
      { plan, description: describePlan(plan), experimentText: text, experimentFile: file, versions },
      Date.now(),
    ),
  );
}

/** What `--set`, `--runtime` and `--threads` say, by path. @throws UsageError */
export function readOverrides({
  set,
  runtime,
  threads,
}: Pick<TrainCommand, 'set' | 'runtime' | 'threads'>): Record<string, unknown> {
  const overrides = Object.fromEntries(
    set.map((entry) => {
      const at = entry.indexOf('=');
      if (at < 1) throw new UsageError(`--set ${entry}: expected path=value, for example --set training.epochs=2.`);
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
  return {
    ...overrides,
    ...(runtime === null ? {} : { runtime }),
    ...(threads === null ? {} : { threads }),
  };
}

export interface TrainingOptions {
  /** Of the runtime; the plan's where they are left out. */
  readonly threads?: number | undefined;
  /** Training, where it is left out. */
  readonly task?: CellTask;
  /** Runs that have done parts of its attacks. */
  readonly parts?: readonly string[];
  /** What makes it end before its time, until the returned function is called. */
  readonly listen?: (end: () => void) => () => void;
  readonly onRows?: (rows: readonly Row[]) => void;
}

/** Trains and evaluates a run, or goes on with it. @returns the exit code @throws StorageError */
export async function trainOne(
  run: RunSummary,
  { terminal, openTrainer }: Pick<CommandContext, 'terminal' | 'openTrainer'>,
  options: TrainingOptions = {},
): Promise<number> {
  const { plan } = readOrigin(run.folder);
  const threads = options.threads ?? plan.threads ?? os.availableParallelism();
  // Of samples that only the disk knows, the trainer will tell.
  const stepBytes = stepBytesOf(plan, threads);
  const memory = stepBytes === null ? '' : ` · about ${bytesText(stepBytes)} of memory`;
  terminal.line(`${run.id} · ${run.description}${memory}`);
  terminal.line(`in ${run.folder}`);
  terminal.event({
    type: 'run',
    id: run.id,
    name: run.name,
    seed: run.seed,
    description: run.description,
    folder: run.folder,
    stepBytes,
  });
  const control = new RunControl();
  const report = new RunReport(terminal, run);
  const listen = options.listen ?? ((interrupt: () => void) => onInterrupt(terminal, interrupt));
  const release = listen(() => {
    control.interrupt('Interrupted from the terminal. Resume the run to go on from its last checkpoint.');
  });
  let end: RunSummary;
  try {
    end = await runPlan(
      {
        ...(options.task ?? { type: 'train' }),
        ...{ incarnation: run.incarnation + 1, threads: options.threads, parts: options.parts },
      },
      {
        folder: run.folder,
        clock: systemClock,
        control,
        openTrainer,
        log: (text) => {
          terminal.error(text);
        },
        onChange: (summary) => {
          report.changed(summary);
        },
        onRows: (rows) => {
          report.rows(rows);
          options.onRows?.(rows);
        },
      },
    );
  } finally {
    release();
  }
  tellEnd(terminal, end);
  if (control.ending) return exitCodes.interrupted;
  return end.status === 'finished' && !hasFailed(end.health ?? []) ? exitCodes.done : exitCodes.failed;
}

function tellEnd(terminal: Terminal, run: RunSummary): void {
  const {
    id,
    status,
    message,
    step,
    steps,
    epoch,
    loss,
    cleanAccuracy,
    robustAccuracy,
    figures = [],
    imagesPerSecond,
    memory,
    device,
    folder,
  } = run;
  const last = run.checkpoints.at(-1);
  const checkpoint = last ? path.join(checkpointsFolder(folder), last.file) : null;
  const metrics = { step, steps, epoch, loss, cleanAccuracy, robustAccuracy, figures, imagesPerSecond, memory };
  terminal.event({ type: 'done', id, status, message, ...metrics, device, folder, checkpoint });
  const peak = memory ? ` · peak ${bytesText(memory.peakBytes)} of memory` : '';
  terminal.line(`${status} at step ${String(step)} of ${String(steps)}${peak}`);
  const [shown] = figures;
  if (shown) {
    const text = `${figureName(shown, step)}: ${figureText(shown, figures)} of ${String(shown.samples)} images`;
    terminal.line(`${cleanAccuracy === null ? '' : `clean ${percent(cleanAccuracy)} · `}${text}`);
  }
  if (message) terminal.error(message);
  if (run.missing === 'data') terminal.error(dataAdvice(`train --resume ${folder}`));
  if (status === 'interrupted') terminal.line(`resume with: kafscope train --resume ${folder}`);
}
