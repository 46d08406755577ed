// An experiment's file as a command needs it: compiled with what the command line changes, every mistake told with its place.
import os from 'node:os';
import path from 'node:path';
import { compileExperiment, type CompiledExperiment } from '../experiment/compileExperiment.ts';
import { issueText } from '../protocol/issue.ts';
import type { ExperimentIssue } from '../protocol/issue.ts';
import { readTextFile } from './readTextFile.ts';
import type { Terminal } from './terminal.ts';

export interface CompiledFile extends CompiledExperiment {
  readonly text: string;
  /** Absolute. */
  readonly file: string;
}

/** Null where there is an error in it, which is told. @throws UsageError where it can't be read */
export function compileFile(
  given: string,
  overrides: Readonly<Record<string, unknown>>,
  terminal: Terminal,
): CompiledFile | null {
  const file = path.resolve(given);
  const text = readTextFile(given);
  const compiled = compileExperiment(text, { file, overrides, homeFolder: os.homedir() });
  for (const issue of compiled.issues) {
    const { line, character } = issue.range.start;
    const isInFile = !isOfOverride(issue, Object.keys(overrides));
    tellIssue(terminal, isInFile ? `${given}:${String(line + 1)}:${String(character + 1)}` : '--set', issue);
    terminal.event({ type: 'issue', file, ...issue });
  }
  return compiled.issues.some((issue) => issue.severity === 'error') ? null : { ...compiled, text, file };
}

/** Found at an override's path; or, having no place in the file, above or below one: `a` of `a.b=c`, `a.b` of `a={b: c}`. */
function isOfOverride({ path: found, range }: ExperimentIssue, paths: readonly string[]): boolean {
  const isWithin = (inner: string, outer: string) => inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`);
  const hasNoPlace = range.end.line === 0 && range.end.character === 0;
  return paths.some((given) => given === found || (hasNoPlace && (isWithin(given, found) || isWithin(found, given))));
}

/** `file:line:column: path: expected …, got … — what to do`, line and column from 1; `--set` in place of the file. */
function tellIssue(terminal: Terminal, place: string, issue: ExperimentIssue): void {
  const warning = issue.severity === 'warning' ? 'warning: ' : '';
  terminal.error(`${place}: ${warning}${issueText(issue)} — ${issue.remedy}`);
}
