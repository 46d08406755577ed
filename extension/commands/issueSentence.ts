// A mistake in an experiment, as a person reads it. Pure.
import type { ExperimentIssue } from '../../server/protocol/issue.ts';

/** `line 9, training.threat.epsilon: expected a number in (0, 1], found "fast". Write it as 8/255.` */
export function issueSentence(issue: ExperimentIssue): string {
  const place = `line ${issue.range.start.line + 1}${issue.path === '' ? '' : `, ${issue.path}`}`;
  const sentence = `${place}: expected ${issue.expected}, found ${issue.got}.`;
  return issue.remedy === '' ? sentence : `${sentence} ${issue.remedy}`;
}
