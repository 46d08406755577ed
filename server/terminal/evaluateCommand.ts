// `kafscope evaluate`: attacks the weights of a run, which then keeps the result, or of a lone checkpoint file.
import fs from 'node:fs';
import path from 'node:path';
import { DataError } from '../data/dataError.ts';
import { parseNumber } from '../experiment/parseNumber.ts';
import { evaluationPlanSchema } from '../protocol/messages.ts';
import type { EvaluationPlan, RuntimeChoice } from '../protocol/plan.ts';
import type { EvaluationFinishedRecord, RunRecord } from '../protocol/records.ts';
import { isLive } from '../protocol/run.ts';
import type { RunSummary } from '../protocol/run.ts';
import { readCheckpoint } from '../run/checkpointFile.ts';
import { RunControl } from '../run/runControl.ts';
import { isRunFolder } from '../run/runFolder.ts';
import { runPlan } from '../run/runPlan.ts';
import { systemClock } from '../run/runRecorder.ts';
import { onInterrupt } from './interrupt.ts';
import { dataAdvice, openerWith } from './overrides.ts';
import { tellEvaluation } from './reportRun.ts';
import { lookAtRun } from './runAt.ts';
import { exitCodes, UsageError } from './terminal.ts';
import type { Terminal } from './terminal.ts';
import type { CommandContext } from './trainCommand.ts';

export interface EvaluateCommand {
  /** A run's folder or a checkpoint file. */
  readonly target: string;
  readonly attack: string;
  /** Numbers as typed, fractions such as 8/255 included. */
  readonly epsilon: string;
  readonly stepSize: string;
  readonly steps: string;
  readonly restarts: string;
  readonly samples: string;
  readonly batchSize: string;
  readonly runtime: RuntimeChoice | null;
  /** A number as typed. */
  readonly threads: string | null;
  /** Where the data lies now. */
  readonly data: string | null;
}

/** @throws UsageError | BadCheckpointError | StorageError @returns the exit code */
export async function evaluateCommand(command: EvaluateCommand, context: CommandContext): Promise<number> {
  const evaluation = evaluationOf(command);
  const target = path.resolve(command.target);
  if (!fs.existsSync(target))
    throw new UsageError(`${target} does not exist. Name a run's folder or a checkpoint file.`);
  const control = new RunControl();
  const release = onInterrupt(context.terminal, () => {
    control.stop();
  });
  try {
    const openTrainer = openerWith(command, context.openTrainer);
    const evaluate = isRunFolder(target) ? evaluateRun : evaluateFile;
    const ended = await evaluate(target, evaluation, control, { ...context, openTrainer });
    tellEnd(context.terminal, ended, target);
    if (control.ending) return exitCodes.interrupted;
    return ended.finished ? exitCodes.done : exitCodes.failed;
  } finally {
    release();
  }
}

interface Ended {
  readonly finished: EvaluationFinishedRecord | null;
  readonly message: string | null;
  readonly missing: RunSummary['missing'];
}

async function evaluateRun(
  folder: string,
  evaluation: EvaluationPlan,
  control: RunControl,
  { terminal, openTrainer }: CommandContext,
): Promise<Ended> {
  const { summary: run } = await lookAtRun(folder, terminal);
  if (isLive(run.status))
    throw new UsageError(`Run ${run.id} is at work. Stop it first, or evaluate one of its checkpoints.`);
  const checkpoint = run.checkpoints.at(-1)?.file;
  if (!checkpoint) throw new UsageError(`Run ${run.id} has no checkpoint to evaluate. Train it first.`);
  const listener = new EvaluationListener(terminal);
  const end = await runPlan(
    { type: 'evaluate', incarnation: run.incarnation + 1, checkpoint, evaluation },
    {
      folder,
      clock: systemClock,
      control,
      openTrainer,
      log: (text) => {
        terminal.error(text);
      },
      onChange: () => {},
      onRows: (rows) => {
        for (const { record } of rows) listener.hear(record);
      },
    },
  );
  return { finished: listener.finished, message: end.message, missing: end.missing };
}

async function evaluateFile(
  file: string,
  evaluation: EvaluationPlan,
  control: RunControl,
  { terminal, openTrainer }: CommandContext,
): Promise<Ended> {
  const { state, origin } = readCheckpoint(file);
  const { plan } = origin;
  let trainer;
  try {
    trainer = await openTrainer(plan);
  } catch (error) {
    if (!(error instanceof DataError && error.kind === 'missing')) throw error;
    return { finished: null, message: error.message, missing: 'data' };
  }
  const listener = new EvaluationListener(terminal);
  for await (const record of trainer.evaluate(plan, evaluation, { state, number: 1, signal: control.signal })) {
    listener.hear(record);
  }
  return { finished: listener.finished, message: null, missing: undefined };
}

class EvaluationListener {
  finished: EvaluationFinishedRecord | null = null;
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  hear(record: RunRecord): void {
    this.#terminal.event({ ...record });
    tellEvaluation(this.#terminal, record);
    if (record.type === 'evaluationFinished') this.finished = record;
  }
}

function tellEnd(terminal: Terminal, { finished, message, missing }: Ended, target: string): void {
  const { clean = null, robust = null, samples = 0, isPartial = true } = finished ?? {};
  const status = finished ? (isPartial ? 'interrupted' : 'finished') : 'failed';
  terminal.event({ type: 'done', status, message, clean, robust, samples, isPartial, target });
  if (message) terminal.error(message);
  if (missing === 'data') terminal.error(dataAdvice(`evaluate ${target}`));
}

function evaluationOf(command: EvaluateCommand): EvaluationPlan {
  const number = (name: string, text: string) => {
    const value = parseNumber(text);
    if (value === undefined) throw new UsageError(`--${name} ${text}: expected a number, for example 20 or 8/255.`);
    return value;
  };
  const parsed = evaluationPlanSchema.safeParse({
    attack: command.attack,
    norm: 'linf',
    epsilon: number('epsilon', command.epsilon),
    stepSize: number('step-size', command.stepSize),
    steps: number('steps', command.steps),
    restarts: number('restarts', command.restarts),
    samples: number('samples', command.samples),
    batchSize: number('batch-size', command.batchSize),
    protocol: 'worst-case',
  });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0]).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return `--${name}: ${issue.message}`;
  });
  throw new UsageError(problems.join('\n'));
}
