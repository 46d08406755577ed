// An experiment's issues as an editor's diagnostics, and the edits that mend them.
import { CodeActionKind, DiagnosticSeverity } from 'vscode-languageserver';
import type { CodeAction, Diagnostic } from 'vscode-languageserver';
import { examineInTurns } from '../experiment/compileExperiment.ts';
import type { CompileOptions } from '../experiment/compileExperiment.ts';
import type { FoundIssue } from '../experiment/experimentText.ts';
import { missingDataFixes, type MissingData } from './missingData.ts';

/** What a diagnostic carries for its quick fixes. */
interface Fix {
  readonly replacement: string;
  readonly missing: MissingData;
}

/** Every issue of the text; the code is the path of the key. @throws the signal's reason */
export async function diagnose(text: string, options: CompileOptions, signal?: AbortSignal): Promise<Diagnostic[]> {
  const { issues } = await examineInTurns(text, options, signal);
  return issues.map((issue) => ({
    range: issue.range,
    severity: issue.severity === 'error' ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
    source: 'kafscope',
    ...(issue.path ? { code: issue.path } : {}),
    message: issueSentence(issue),
    ...(issue.replacement === undefined ? {} : { data: { replacement: issue.replacement } satisfies Partial<Fix> }),
  }));
}

/** For a user: what was expected, what was found, what to do. */
export function issueSentence({ expected, got, remedy }: Pick<FoundIssue, 'expected' | 'got' | 'remedy'>): string {
  return `Expected ${expected}, got ${got}. ${remedy}`;
}

/** The fixes that the diagnostics at a place offer. */
export function quickFixes(uri: string, diagnostics: readonly Diagnostic[]): CodeAction[] {
  return diagnostics.flatMap((diagnostic) => {
    const data = diagnostic.data as Partial<Fix> | undefined;
    if (diagnostic.source !== 'kafscope') return [];
    if (data?.missing) return missingDataFixes(uri, diagnostic, data.missing);
    if (typeof data?.replacement !== 'string') return [];
    const edit = { changes: { [uri]: [{ range: diagnostic.range, newText: data.replacement }] } };
    const title = `Change to ${data.replacement}`;
    return [{ title, kind: CodeActionKind.QuickFix, diagnostics: [diagnostic], isPreferred: true, edit }];
  });
}
