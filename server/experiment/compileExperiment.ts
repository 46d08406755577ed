// An experiment's text → its frozen plans, or every mistake in it. Pure: no file is looked at.
import type { ExperimentIssue } from '../protocol/issue.ts';
import { activationsOf } from '../network/activations.ts';
import type { ActivationPlan, DatasetPlan, Plan } from '../protocol/plan.ts';
import { applyOverrides } from './applyOverrides.ts';
import { emptyRange, parseExperimentText } from './experimentText.ts';
import type { FoundIssue } from './experimentText.ts';
import { makePlan } from './makePlan.ts';
import { parentNames } from './parentNames.ts';
import { nearestRange, readCells } from './readCells.ts';
import type { Cell } from './readCells.ts';
import { readMatrix } from './readMatrix.ts';
import type { Matrix } from './readMatrix.ts';
import { readSettings } from './readSettings.ts';
import { experimentSettings } from './settings.ts';
import { atOnce, inTurns, type Turns } from './turns.ts';

export interface CompileOptions {
  /** Absolute path of the experiment file, from whose folder relative paths start; null for none. */
  readonly file: string | null;
  /**
   * Values by path, for example `{'training.epochs': 2}`, applied before validation. A string means what it would mean in the
   * file, null removes the key. Issues in them have a range of 0.
   */
  readonly overrides?: Readonly<Record<string, unknown>>;
  /** What `~/` stands for. */
  readonly homeFolder: string;
}

export interface CompiledExperiment {
  /** One a cell of the matrix and seed; empty if any issue is an error. */
  readonly cells: readonly Cell[];
  readonly plans: readonly Plan[];
  readonly issues: readonly ExperimentIssue[];
  readonly name: string;
}

/** The same with what the language server needs for quick fixes. */
export type ExaminedExperiment = Omit<CompiledExperiment, 'issues'> & { readonly issues: readonly FoundIssue[] };

/** Compiles an experiment. Never throws because of its text; issues are in order of the text. */
export function compileExperiment(text: string, options: CompileOptions): CompiledExperiment {
  return withoutFixes(atOnce(examined(text, options)));
}

/** The same, a cell at a time: others have their turn between. @throws the signal's reason */
export async function compileInTurns(
  text: string,
  options: CompileOptions,
  signal?: AbortSignal,
): Promise<CompiledExperiment> {
  return withoutFixes(await examineInTurns(text, options, signal));
}

/** @throws the signal's reason */
export function examineInTurns(
  text: string,
  options: CompileOptions,
  signal?: AbortSignal,
): Promise<ExaminedExperiment> {
  return inTurns(examined(text, options), signal);
}

function withoutFixes({ issues, ...compiled }: ExaminedExperiment): CompiledExperiment {
  return { ...compiled, issues: issues.map(({ replacement: _, ...issue }) => issue) };
}

function* examined(text: string, options: CompileOptions): Turns<ExaminedExperiment> {
  const parsed = parseExperimentText(text);
  const overrides = options.overrides ?? {};
  const overrideIssues = applyOverrides(parsed.document, overrides, experimentSettings);
  const matrix = readMatrix(parsed, experimentSettings);
  yield;
  const { cells, issues: found, name } = yield* readCells(parsed, matrix, options);
  const issues = [
    ...parsed.issues,
    ...overrideIssues,
    ...(matrix ? [...matrix.issues, ...sweptOverrides(matrix, Object.keys(overrides))] : []),
    ...found,
  ].sort(byPosition);
  const isWrong = issues.some((issue) => issue.severity === 'error');
  const whole = isWrong ? [] : cells;
  return { cells: whole, plans: whole.map(({ plan }) => plan), issues, name };
}

/** A value from outside would be in force in no cell, or in all of them. */
function sweptOverrides(matrix: Matrix, overrides: readonly string[]): FoundIssue[] {
  const isInside = (inner: string, outer: string) => inner === outer || inner.startsWith(`${outer}.`);
  return overrides.flatMap((path) => {
    const swept = [...matrix.paths].find((other) => isInside(other, path) || isInside(path, other));
    if (swept === undefined) return [];
    const remedy = `Leave it out, or take ${swept} out of the matrix.`;
    const told = { expected: 'a key that the matrix has no values for', got: path, remedy };
    return [{ path, range: emptyRange, severity: 'error' as const, ...told }];
  });
}

/**
 * The activation that a text means so far at a path (`model.activation`, or that of a declared layer) or within it, whatever else
 * is wrong in the text; null where there is none.
 */
export function activationIn(text: string, path: string, options: CompileOptions): ActivationPlan | null {
  const { values } = readSettings(experimentSettings, parseExperimentText(text), parentNames());
  const { model } = makePlan(values, 0, options);
  const isAt = (place: string) => path === place || path.startsWith(`${place}.`);
  if (isAt('model.activation')) return model.activation;
  const own = activationsOf(model).find((layer) => isAt(`model.network.${layer.path}.activation`));
  return own?.activation ?? null;
}

/** The data that a text means so far, and where it says so; null where a matrix says it. */
export function datasetIn(
  text: string,
  options: CompileOptions,
): { readonly dataset: DatasetPlan; readonly range: FoundIssue['range'] } | null {
  const parsed = parseExperimentText(text);
  const swept = readMatrix(parsed, experimentSettings)?.paths ?? new Set<string>();
  if (['dataset', 'dataset.name', 'dataset.path'].some((path) => swept.has(path))) return null;
  const reading = readSettings(experimentSettings, parsed, parentNames());
  const range = parsed.firstLineOf(nearestRange(reading, 'dataset.path'));
  return { dataset: makePlan(reading.values, 0, options).dataset, range };
}

/** Where a path stands in a text, or else the nearest mapping around it; nothing's range where the text has neither. */
export function rangeIn(text: string, path: string): FoundIssue['range'] {
  return nearestRange(readSettings(experimentSettings, parseExperimentText(text), parentNames()), path);
}

function byPosition(a: FoundIssue, b: FoundIssue): number {
  return a.range.start.line - b.range.start.line || a.range.start.character - b.range.start.character;
}
