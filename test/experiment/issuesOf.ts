// What a test asks of an experiment's mistakes.
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import type { ExperimentIssue } from '../../server/protocol/issue.ts';

export const options = { file: '/projects/first.kaf.yaml', homeFolder: '/home/user' };

export function issuesOf(text: string): readonly ExperimentIssue[] {
  return compileExperiment(text, options).issues;
}

/** The part of the text that an issue underlines. */
export function underlined(text: string, { range }: ExperimentIssue): string {
  const lines = text.split('\n').slice(range.start.line, range.end.line + 1);
  const last = lines.length - 1;
  lines[last] = (lines[last] ?? '').slice(0, range.end.character);
  lines[0] = (lines[0] ?? '').slice(range.start.character);
  return lines.join('\n');
}
