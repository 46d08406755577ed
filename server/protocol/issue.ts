// A mistake in an experiment, as data; sentences for people are made where they are shown, by `issueText` for developers.

export interface ExperimentIssue {
  /** `training.threat.epsilon`; empty for the file as a whole. */
  readonly path: string;
  readonly range: TextRange;
  readonly severity: 'error' | 'warning';
  /** For example `a number in (0, 1]`. */
  readonly expected: string;
  /** As found, for example `"fast"`; `nothing` where a value is missing. */
  readonly got: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** Zero-based; characters in UTF-16 code units; the end is exclusive. */
export interface TextRange {
  readonly start: { readonly line: number; readonly character: number };
  readonly end: { readonly line: number; readonly character: number };
}

/** `training.threat.epsilon: expected a number in (0, 1], got "fast"` */
export function issueText(issue: ExperimentIssue): string {
  const text = `expected ${issue.expected}, got ${issue.got}`;
  return issue.path ? `${issue.path}: ${text}` : text;
}
