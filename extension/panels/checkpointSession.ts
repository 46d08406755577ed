// What one editor of checkpoints is told: what is in the file that is looked at, what has become of it since another, parts of its kernels.
// Of readings that a newer one replaces only the newest is of use, so the others are cancelled.
import path from 'node:path';
import * as vscode from 'vscode';
import type { RequestMethod, Requests } from '../../server/protocol/messages.ts';
import type { CheckpointPlace, FromCheckpoint, ToCheckpoint } from '../../server/protocol/panel.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';
import { canDo } from '../runs/runActions.ts';
import type { RunStore } from '../runs/runStore.ts';

export interface CheckpointSessionOptions {
  /** Of the editor. */
  readonly uri: vscode.Uri;
  readonly connection: Pick<ServerConnection, 'request'>;
  readonly store: Pick<RunStore, 'runs' | 'onDidChange'>;
  readonly post: (message: ToCheckpoint) => void;
}

export class CheckpointSession implements vscode.Disposable {
  private readonly options: CheckpointSessionOptions;
  /** The file that is looked at: that of the editor, or another of its run. */
  private shown: vscode.Uri;
  /** The file that it is compared with. */
  private compared: vscode.Uri | null = null;
  private placeSaid = '';
  /** By what is read, each the newest. */
  private readonly readings = new Map<'contents' | 'difference' | 'kernel', vscode.CancellationTokenSource>();
  private readonly listener: vscode.Disposable;

  constructor(options: CheckpointSessionOptions) {
    this.options = options;
    this.shown = options.uri;
    this.listener = options.store.onDidChange(() => {
      this.tellPlace();
    });
  }

  /** The page is there and knows nothing. */
  ready(): void {
    this.placeSaid = '';
    this.tellPlace();
    this.load();
  }

  load(): void {
    const { shown } = this;
    const { post } = this.options;
    void this.read('contents', 'checkpoint/inspect', {
      ...{ file: shown, params: { file: shown.fsPath } },
      done: (contents) => {
        post({ type: 'contents', contents });
      },
      failed: (message) => {
        post({ type: 'failed', message });
      },
    });
    if (this.compared) this.compare(this.compared);
  }

  /** @param file its name, never a path: what a page says leads nowhere else */
  show(file: string): void {
    this.shown = this.besideIt(file);
    this.load();
  }

  compareWith(file: string | null): void {
    if (file !== null) {
      this.compare(this.besideIt(file));
      return;
    }
    this.compared = null;
    this.readings.get('difference')?.cancel();
    this.options.post({ type: 'compared', comparison: null });
  }

  compare(other: vscode.Uri): void {
    this.compared = other;
    const { post } = this.options;
    const name = path.dirname(other.fsPath) === this.folder ? path.basename(other.fsPath) : other.fsPath;
    post({ type: 'compared', comparison: { name, status: 'reading' } });
    void this.read('difference', 'checkpoint/compare', {
      ...{ file: other, params: { file: this.shown.fsPath, other: other.fsPath } },
      done: (difference) => {
        post({ type: 'compared', comparison: { name, status: 'done', difference } });
      },
      failed: (message) => {
        post({ type: 'compared', comparison: { name, status: 'failed', message } });
      },
    });
  }

  readKernel({ tensor, input, page }: Extract<FromCheckpoint, { type: 'askKernel' }>): void {
    const { post } = this.options;
    void this.read('kernel', 'checkpoint/kernel', {
      ...{ file: this.shown, params: { file: this.shown.fsPath, tensor, input, page } },
      done: (pictures) => {
        post({ type: 'kernel', pictures });
      },
      failed: (message) => {
        post({ type: 'noKernel', tensor, message });
      },
    });
  }

  dispose(): void {
    this.listener.dispose();
    for (const reading of this.readings.values()) reading.cancel();
  }

  private get folder(): string {
    return path.dirname(this.options.uri.fsPath);
  }

  private besideIt(file: string): vscode.Uri {
    return vscode.Uri.file(path.join(this.folder, path.basename(file)));
  }

  private async read<Method extends RequestMethod>(
    what: 'contents' | 'difference' | 'kernel',
    method: Method,
    {
      file,
      params,
      done,
      failed,
    }: {
      file: vscode.Uri;
      params: Requests[Method]['params'];
      done: (result: Requests[Method]['result']) => void;
      failed: (message: string) => void;
    },
  ): Promise<void> {
    this.readings.get(what)?.cancel();
    const reading = new vscode.CancellationTokenSource();
    this.readings.set(what, reading);
    if (file.scheme !== 'file') {
      failed(`Kafscope inspects files on disk, not ones from "${file.scheme}:".`);
      return;
    }
    try {
      const result = await this.options.connection.request(method, params, reading.token);
      if (!reading.token.isCancellationRequested) done(result);
    } catch (error) {
      if (!reading.token.isCancellationRequested) failed(error instanceof Error ? error.message : String(error));
    }
  }

  private tellPlace(): void {
    const place = placeOf(this.options.uri, this.options.store);
    const text = JSON.stringify(place);
    if (text !== this.placeSaid) this.options.post({ type: 'place', place });
    this.placeSaid = text;
  }
}

function placeOf(uri: vscode.Uri, { runs }: Pick<RunStore, 'runs'>): CheckpointPlace | null {
  if (uri.scheme !== 'file') return null;
  const [folder, name] = [path.dirname(uri.fsPath), path.basename(uri.fsPath)];
  const run = runs.find((one) => path.join(one.folder, 'checkpoints') === folder);
  if (!run?.checkpoints.some(({ file }) => file === name)) return null;
  const checkpoints = [...run.checkpoints].sort((a, b) => a.step - b.step);
  return { runId: run.id, checkpoints, canEvaluate: canDo('evaluate', run), canResume: canDo('resume', run) };
}
