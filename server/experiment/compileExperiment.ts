// An experiment's text → its frozen plans, or every mistake in it. Pure: no file is looked at.
import type { ExperimentIssue } from '../protocol/issue.ts';
import { activationsOf } from '../network/activations.ts';
import type { ActivationPlan, Plan } from '../protocol/plan.ts';
import { applyOverrides } from './applyOverrides.ts';
import { checkPlan } from './checkPlan.ts';
import { emptyRange, parseExperimentText } from './experimentText.ts';
import type { ExperimentText, FoundIssue } from './experimentText.ts';
import { experimentName, experimentSeeds, makePlan } from './makePlan.ts';
import { readSettings } from './readSettings.ts';
import type { SettingsReading } from './readSettings.ts';
import { parentNames } from './parentNames.ts';
import { experimentSettings } from './settings.ts';
import { applyPreset } from './trainingPresets.ts';

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
  /** One a seed; empty if any issue is an error. */
  readonly plans: readonly Plan[];
  readonly issues: readonly ExperimentIssue[];
  readonly name: string;
}

/** Compiles an experiment. Never throws because of its text; issues are in order of the text. */
export function compileExperiment(text: string, options: CompileOptions): CompiledExperiment {
  const { plans, issues, name } = examineExperiment(text, options);
  return { plans, issues: issues.map(({ replacement: _, ...issue }) => issue), name };
}

/** The same with what the language server needs for quick fixes. */
export function examineExperiment(
  text: string,
  options: CompileOptions,
): Omit<CompiledExperiment, 'issues'> & { readonly issues: readonly FoundIssue[] } {
  const parsed = parseExperimentText(text);
  const overrideIssues = applyOverrides(parsed.document, options.overrides ?? {}, experimentSettings);
  applyPreset(parsed.document);
  const reading = readSettings(experimentSettings, parsed, parentNames());
  const plans = experimentSeeds(reading.values).map((seed) => freeze(makePlan(reading.values, seed, options)));
  const found = [...parsed.issues, ...overrideIssues, ...reading.issues];
  const first = plans[0];
  if (first) found.push(...contradictions(reading, first, parsed));
  const issues = found.sort(byPosition);
  const isWrong = issues.some((issue) => issue.severity === 'error');
  return { plans: isWrong ? [] : plans, issues, name: experimentName(reading.values, options) };
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

/** Where a path stands in a text, or else the nearest mapping around it; nothing's range where the text has neither. */
export function rangeIn(text: string, path: string): FoundIssue['range'] {
  return nearestRange(readSettings(experimentSettings, parseExperimentText(text), parentNames()), path);
}

/** What checkPlan finds, less what only follows from a key that is wrong by itself. */
function contradictions(
  reading: SettingsReading<Parameters<typeof checkPlan>[0]>,
  plan: Plan,
  text: ExperimentText,
): FoundIssue[] {
  if (text.issues.length > 0) return [];
  const wrong = reading.issues.map((issue) => issue.path);
  const isAffected = (path: string) => wrong.some((other) => sharesGroup(path, other));
  return checkPlan(reading.values, plan)
    .filter((issue) => !isAffected(issue.path))
    .map(({ within, ...issue }) => {
      const range = text.firstLineOf(nearestRange(reading, issue.path));
      return { ...issue, range: within ? text.partOf(range, within.start, within.end) : range };
    });
}

/** Whether a mistake at `other` may be why there is one at `path`: the same section, or the data set that both count on. */
function sharesGroup(path: string, other: string): boolean {
  const section = (name: string) => name.split(/[.[]/)[0];
  return section(path) === section(other) || section(other) === 'dataset';
}

/** The range of a path or, where it has none (its value is a default), of the nearest group around it that has. */
function nearestRange({ ranges }: Pick<SettingsReading<unknown>, 'ranges'>, path: string): FoundIssue['range'] {
  for (let name = path; name; name = name.replace(/(^|\.|\[)[^.[]*$/, '')) {
    const range = ranges.get(name);
    if (range) return range;
  }
  return emptyRange;
}

function byPosition(a: FoundIssue, b: FoundIssue): number {
  return a.range.start.line - b.range.start.line || a.range.start.character - b.range.start.character;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
