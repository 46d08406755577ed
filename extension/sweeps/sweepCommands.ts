// What a person can do with a sweep: start, pause, resume and stop it, and look at its table.
import path from 'node:path';
import * as vscode from 'vscode';
import type { SweepSummary } from '../../server/protocol/sweep.ts';
import { experimentDocument } from '../commands/experimentSource.ts';
import { machineOverrides } from '../commands/machineOverrides.ts';
import { isBadExperiment, showIssue } from '../commands/train.ts';
import { isTrusted } from '../commands/workspaceTrust.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';
import type { RunStore } from '../runs/runStore.ts';
import { attempt } from '../showFailure.ts';
import { sweepContextValue, sweepDescription } from './sweepNodes.ts';
import type { SweepStore } from './sweepStore.ts';

export interface SweepCommandParts {
  readonly connection: ServerConnection;
  readonly store: RunStore;
  readonly sweeps: SweepStore;
}

export class SweepCommands {
  private readonly parts: SweepCommandParts;

  constructor(parts: SweepCommandParts) {
    this.parts = parts;
  }

  /** @param argument a file, its address as text, or nothing for the active editor */
  async start(argument?: unknown): Promise<void> {
    if (!isTrusted('train')) return;
    const document = await experimentDocument(argument, 'Start the sweep of which experiment?');
    if (!document) return;
    const { connection, store, sweeps } = this.parts;
    await attempt('start the sweep', async () => {
      const file = document.uri.scheme === 'file' ? document.uri.fsPath : null;
      const asked = { text: document.getText(), file, overrides: { ...machineOverrides() } };
      try {
        const sweep = await connection.request('sweep/start', asked);
        sweeps.apply(sweep);
        await store.refresh();
        const name = path.posix.basename(document.uri.path);
        const text = `${name}: ${sweepDescription(sweep)}. The Runs view shows how it goes.`;
        void vscode.window.showInformationMessage(text);
      } catch (error) {
        if (!isBadExperiment(error)) throw error;
        await showIssue(document, error.issues[0]);
      }
    });
  }

  pause(argument?: unknown): Promise<void> {
    return this.ask(argument, 'pause', 'Pause');
  }

  resume(argument?: unknown): Promise<void> {
    return isTrusted('train') ? this.ask(argument, 'go-on', 'Resume') : Promise.resolve();
  }

  stop(argument?: unknown): Promise<void> {
    return this.ask(argument, 'stop', 'Stop');
  }

  /** As a page of Markdown beside the editor. */
  async showTable(argument?: unknown): Promise<void> {
    const sweep = await this.pick(argument, 'Show the table of which sweep?', () => true);
    if (!sweep) return;
    await attempt('show the table of the sweep', async () => {
      const { text } = await this.parts.connection.request('sweep/report', { sweepId: sweep.id });
      if (text === '') {
        void vscode.window.showInformationMessage(`No cell of ${sweep.name} has finished yet.`);
        return;
      }
      const content = `# ${sweep.name}\n\n${text}`;
      const document = await vscode.workspace.openTextDocument({ language: 'markdown', content });
      await vscode.commands.executeCommand('markdown.showPreview', document.uri);
    });
  }

  private async ask(argument: unknown, ask: 'pause' | 'go-on' | 'stop', verb: string): Promise<void> {
    const can = `can${verb}Sweep`;
    const fits = (sweep: SweepSummary) => sweepContextValue(sweep).split(' ').includes(can);
    const sweep = await this.pick(argument, `${verb} which sweep?`, fits);
    if (!sweep) return;
    await attempt(`${verb.toLowerCase()} the sweep`, async () => {
      this.parts.sweeps.apply(await this.parts.connection.request('sweep/ask', { sweepId: sweep.id, ask }));
    });
  }

  /** The sweep of a tree's node, else the only one that fits, else a pick. */
  private async pick(
    argument: unknown,
    title: string,
    fits: (sweep: SweepSummary) => boolean,
  ): Promise<SweepSummary | undefined> {
    const given = (argument as { readonly sweep?: SweepSummary } | undefined)?.sweep;
    if (given) return given;
    await this.parts.sweeps.refresh();
    const fitting = this.parts.sweeps.sweeps.filter(fits);
    if (fitting.length === 0) {
      void vscode.window.showInformationMessage('There is no sweep with which that could be done.');
      return undefined;
    }
    if (fitting.length === 1) return fitting[0];
    const items = fitting.map((sweep) => ({ sweep, label: sweep.name, description: sweepDescription(sweep) }));
    return (await vscode.window.showQuickPick(items, { title }))?.sweep;
  }
}
