// Above an experiment: what its newest run came to. The language server knows no runs, so this is the window's.
import * as vscode from 'vscode';
import { statusText, type RunSummary } from '../../server/protocol/run.ts';
import type { CommandId } from '../contributions.ts';
import type { RunStore } from '../runs/runStore.ts';
import { accuracies } from '../runs/runText.ts';

export class ResultLens implements vscode.CodeLensProvider, vscode.Disposable {
  private readonly store: Pick<RunStore, 'runs' | 'onDidChange'>;
  private readonly changeEmitter = new vscode.EventEmitter<void>();
  private readonly subscription: vscode.Disposable;
  /** Of the newest run of each file that has asked; a lens is drawn anew only where it says something else. */
  private said = '';
  private readonly files = new Set<string>();
  readonly onDidChangeCodeLenses = this.changeEmitter.event;

  constructor(store: Pick<RunStore, 'runs' | 'onDidChange'>) {
    this.store = store;
    this.subscription = store.onDidChange(() => {
      const said = this.sayAll();
      if (said !== this.said) this.changeEmitter.fire();
      this.said = said;
    });
  }

  provideCodeLenses({ uri }: Pick<vscode.TextDocument, 'uri'>): vscode.CodeLens[] {
    if (uri.scheme !== 'file') return [];
    this.files.add(uri.fsPath);
    this.said = this.sayAll();
    const run = newestOf(this.store.runs, uri.fsPath);
    if (!run) return [];
    const command = {
      command: 'kafscope.openDashboard' satisfies CommandId,
      title: resultText(run),
      arguments: [run.id],
    };
    return [new vscode.CodeLens(new vscode.Range(0, 0, 0, 0), command)];
  }

  dispose(): void {
    this.subscription.dispose();
    this.changeEmitter.dispose();
  }

  private sayAll(): string {
    const texts = [...this.files].map((file) => {
      const run = newestOf(this.store.runs, file);
      return run ? `${run.id} ${resultText(run)}` : '';
    });
    return texts.join('\n');
  }
}

function newestOf(runs: readonly RunSummary[], file: string): RunSummary | undefined {
  const ofFile = runs.filter((run) => run.experimentFile === file && run.mark?.isTrashed !== true);
  return ofFile.reduce<RunSummary | undefined>(
    (newest, run) => (newest && newest.createdMs >= run.createdMs ? newest : run),
    undefined,
  );
}

/** `last run, seed 1: finished · 64.1 / ≤ 38.9 % (35.9 – 42.0) PGD-50-10 8/255` */
export function resultText(run: RunSummary): string {
  const figures = accuracies(run);
  return `last run, seed ${String(run.seed)}: ${statusText(run)}${figures === '' ? '' : ` · ${figures}`}`;
}
