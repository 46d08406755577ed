// Install TensorFlow…: the command line's installer behind a notification that shows its progress and cancels it. Asks first.
import path from 'node:path';
import * as vscode from 'vscode';
import { libraryPlaces } from '../connection/pythonEnvironments.ts';
import { nodeEnvironment } from '../connection/serverProcess.ts';
import type { CommandId } from '../contributions.ts';
import { attempt } from '../showFailure.ts';
import { pythonWithPip, runInstaller } from './installProcess.ts';
import { isTrusted } from './workspaceTrust.ts';

interface Choice extends vscode.QuickPickItem {
  readonly flags: readonly string[];
}

const forCpu: Choice = { label: 'For the CPU', description: 'about 280 MB, 0.9 GB on the disk', flags: [] };
const forGpu: Choice = {
  label: 'For NVIDIA GPUs',
  description: 'with the CUDA libraries: 3.3 GB, 6 GB on the disk',
  flags: ['--gpu'],
};

export class TensorflowInstaller {
  readonly #extensionUri: vscode.Uri;
  readonly #log: (line: string) => void;
  #isAtWork = false;

  constructor(extensionUri: vscode.Uri, log: (line: string) => void) {
    this.#extensionUri = extensionUri;
    this.#log = log;
  }

  async install(): Promise<void> {
    if (!isTrusted('install')) return;
    if (this.#isAtWork) {
      void vscode.window.showInformationMessage('TensorFlow is being installed; its notification says how far it is.');
      return;
    }
    const hasGpuBuild = process.platform === 'linux' && process.arch === 'x64';
    const chosen = await vscode.window.showQuickPick(hasGpuBuild ? [forCpu, forGpu] : [forCpu], {
      title: "Install TensorFlow's library with pip",
      placeHolder: 'Which build? It goes into a folder of Kafscope, not into your Python.',
    });
    if (chosen) await attempt('install TensorFlow', () => this.#run(chosen.flags));
  }

  async #run(flags: readonly string[]): Promise<void> {
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: 'Installing TensorFlow',
      cancellable: true,
    };
    const commandLine = vscode.Uri.joinPath(this.#extensionUri, 'dist', 'cli.cjs').fsPath;
    this.#isAtWork = true;
    try {
      const installed = await vscode.window.withProgress(options, async (progress, token) => {
        const abort = new AbortController();
        token.onCancellationRequested(() => {
          abort.abort();
        });
        const { signal } = abort;
        const python = await pythonWithPip(await this.#chosenInterpreters(), { other: 'python3', signal });
        const command = {
          file: process.execPath,
          args: [commandLine, 'install', 'tensorflow', '--json', '--python', python, ...flags],
          env: nodeEnvironment(),
        };
        if (token.isCancellationRequested) return null;
        let shown = 0;
        return runInstaller(command, {
          signal,
          onStep: ({ message, share }) => {
            progress.report({ message, increment: 100 * (share - shown) });
            shown = share;
          },
        });
      });
      if (installed) void sayDone(`${installed.name} ${installed.version} is installed: ${installed.device}.`);
    } finally {
      this.#isAtWork = false;
    }
  }

  /** Programs that a workspace names are run only where it is trusted. */
  async #chosenInterpreters(): Promise<string[]> {
    const { interpreters, isTrusted } = await libraryPlaces(this.#log);
    return isTrusted ? interpreters.filter((file) => path.isAbsolute(file)) : [];
  }
}

async function sayDone(sentence: string): Promise<void> {
  const select = 'Select Runtime…';
  if ((await vscode.window.showInformationMessage(sentence, select)) !== select) return;
  await vscode.commands.executeCommand('kafscope.selectRuntime' satisfies CommandId);
}
