// `kafscope evaluate`: attacks the weights of a run, which then keeps the result, or of a lone checkpoint file.
import fs from 'node:fs';
import path from 'node:path';
import { DataError } from '../data/dataError.ts';
import { parseNumber } from '../experiment/parseNumber.ts';
import { evaluationPlanSchema } from '../protocol/evaluationSchema.ts';
import { evaluationKeys, evaluationNames } from '../protocol/evaluationTable.ts';
import { isRunId, type AttackKey } from '../protocol/attackKey.ts';
import { completeEvaluation, surrogatePlaces } from '../protocol/evaluationPlan.ts';
import type { EvaluationPlan, RuntimeChoice } from '../protocol/plan.ts';
import type { EvaluationFinishedRecord, RunRecord } from '../protocol/records.ts';
import { isLive } from '../protocol/run.ts';
import type { RunSummary } from '../protocol/run.ts';
import { EvaluationsFold } from '../attack/evaluationState.ts';
import { readCheckpoint } from '../run/checkpointFile.ts';
import { openSurrogates } from '../run/openSurrogate.ts';
import { RunControl } from '../run/runControl.ts';
import { isRunFolder } from '../run/runFolder.ts';
import { RunHistory } from '../run/runHistory.ts';
import { runPlan } from '../run/runPlan.ts';
import { systemClock } from '../run/runRecorder.ts';
import { optionName } from './attackOptions.ts';
import { onInterrupt } from './interrupt.ts';
import { dataAdvice, openerWith } from './overrides.ts';
import { EvaluationReport } from './reportEvaluation.ts';
import { lookAtRun } from './runAt.ts';
import { exitCodes, UsageError } from './terminal.ts';
import type { Terminal } from './terminal.ts';
import type { CommandContext } from './trainCommand.ts';

/** Images that are attacked where nothing else is said. */
const defaultSamples = 500;

export interface EvaluateCommand {
  /** A run's folder or a checkpoint file. */
  readonly target: string;
  /** Null for PGD. */
  readonly attack: string | null;
  /** Whether the last evaluation that was cut off goes on. */
  readonly isResumed: boolean;
  /** The attack's settings as typed, fractions such as 8/255 included; the others take their defaults. */
  readonly settings: Readonly<Record<string, string>>;
  readonly runtime: RuntimeChoice | null;
  /** A number as typed. */
  readonly threads: string | null;
  /** Where the data lies now. */
  readonly data: string | null;
}

/** @throws UsageError | BadCheckpointError | StorageError @returns the exit code */
export async function evaluateCommand(command: EvaluateCommand, context: CommandContext): Promise<number> {
  const evaluation = command.isResumed ? refuseSettings(command) : evaluationOf(command);
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
  evaluation: EvaluationPlan | null,
  control: RunControl,
  { terminal, openTrainer }: CommandContext,
): Promise<Ended> {
  const { summary: run } = await lookAtRun(folder, terminal);
  if (isLive(run.status))
    throw new UsageError(`Run ${run.id} is at work. Stop it first, or evaluate one of its checkpoints.`);
  const checkpoint = run.checkpoints.at(-1)?.file;
  if (!checkpoint) throw new UsageError(`Run ${run.id} has no checkpoint to evaluate. Train it first.`);
  const listener = new EvaluationListener(terminal);
  const incarnation = run.incarnation + 1;
  const asked = evaluation ? { checkpoint, evaluation } : { continues: unfinishedOf(run, listener) };
  const end = await runPlan(
    { type: 'evaluate', incarnation, ...asked },
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
  evaluation: EvaluationPlan | null,
  control: RunControl,
  { terminal, openTrainer }: CommandContext,
): Promise<Ended> {
  if (!evaluation) throw new UsageError(`--resume goes on with an evaluation of a run; ${file} keeps none.`);
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
  const surrogates = openSurrogates(surrogatePlaces(evaluation, plan.evaluation), {
    runsFolder: runsFolderFor(evaluation, file),
    before: [],
  });
  const options = { state, number: 1, signal: control.signal, surrogates };
  for await (const record of trainer.evaluate(plan, evaluation, options)) {
    listener.hear(record);
  }
  return { finished: listener.finished, message: null, missing: undefined };
}

/** Where ids of runs count from: what was typed from where the person is, what the experiment named from the run that the file is of. */
function runsFolderFor({ attack }: EvaluationPlan, file: string): string {
  const run = path.dirname(path.dirname(file));
  return attack !== 'transfer' && isRunFolder(run) ? path.dirname(run) : path.resolve();
}

/** The number of the run's newest evaluation that did not run to its end; the report hears what was known of all. @throws UsageError */
function unfinishedOf(run: RunSummary, listener: EvaluationListener): number {
  const fold = new EvaluationsFold();
  const history = new RunHistory(run.folder);
  try {
    history.forEachRow(0, ({ record }) => {
      fold.hear(record);
    });
  } finally {
    history.close();
  }
  const last = fold.all.findLast(({ isDone }) => !isDone);
  if (!last) throw new UsageError(`No evaluation of run ${run.id} was cut off: there is nothing to go on with.`);
  listener.note(`goes on behind ${String(last.state?.samples ?? 0)} images`);
  return last.number;
}

/** @throws UsageError */
function refuseSettings({ attack, settings }: EvaluateCommand): null {
  const given = [...(attack === null ? [] : ['attack']), ...Object.keys(settings)].map(optionName);
  if (given.length === 0) return null;
  throw new UsageError(
    `${given.join(', ')}: an evaluation that goes on does so as it began. Leave out --resume for a new one.`,
  );
}

class EvaluationListener {
  finished: EvaluationFinishedRecord | null = null;
  readonly #terminal: Terminal;
  readonly #report: EvaluationReport;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#report = new EvaluationReport(terminal);
  }

  note(text: string): void {
    this.#terminal.line(text);
  }

  hear(record: RunRecord): void {
    this.#terminal.event({ ...record });
    this.#report.hear(record);
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

/** What was typed, and what follows from it. Each attack has settings of its own: one that it hasn't is refused, not ignored. */
function evaluationOf({ attack, settings }: EvaluateCommand): EvaluationPlan {
  const name = evaluationNames.find((one) => one === (attack ?? 'pgd'));
  if (!name) throw new UsageError(`--attack ${String(attack)}: expected one of ${evaluationNames.join(', ')}.`);
  const keys = evaluationKeys(name);
  const given = Object.entries(settings).map(([key, text]) => {
    const declared = keys[key];
    if (!declared)
      throw new UsageError(
        `${optionName(key)}: ${name} has no such setting; it has ${Object.keys(keys).map(optionName).join(', ')}.`,
      );
    return [key, valueOf(declared, optionName(key), text)] as const;
  });
  const context = { trainedEpsilon: null, testSamples: defaultSamples };
  const parsed = evaluationPlanSchema.safeParse(completeEvaluation(name, Object.fromEntries(given), context));
  if (parsed.success) return parsed.data;
  throw new UsageError(
    parsed.error.issues.map(({ path, message }) => `${optionName(String(path[0]))}: ${message}`).join('\n'),
  );
}

function valueOf(key: AttackKey, name: string, text: string): unknown {
  switch (key.kind) {
    case 'number':
      return numberOf(name, text);
    case 'choice':
      return text;
    case 'list':
      return text.split(',').map((part) => numberOf(name, part));
    case 'place':
      return isRunId(text) && !fs.existsSync(text) ? text : path.resolve(text);
    default:
      return key satisfies never;
  }
}

function numberOf(name: string, text: string): number {
  const value = parseNumber(text);
  if (value === undefined) throw new UsageError(`${name} ${text}: expected a number, for example 20 or 8/255.`);
  return value;
}
