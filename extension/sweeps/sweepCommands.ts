// What a person can do with a sweep: start, pause, resume and stop it, try its failed cells again, and look at it.
import path from 'node:path';
import * as vscode from 'vscode';
import { allowedAsks, type SweepAsk, type SweepPlace, type SweepSummary } from '../../server/protocol/sweep.ts';
import { experimentDocument } from '../commands/experimentSource.ts';
import { machineOverrides, setting } from '../commands/machineOverrides.ts';
import { isBadExperiment, showIssue } from '../commands/train.ts';
import { isTrusted } from '../commands/workspaceTrust.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';
import type { RunStore } from '../runs/runStore.ts';
import { attempt } from '../showFailure.ts';
import { sweepDescription } from './sweepNodes.ts';
import { placeChoices } from './sweepPlaces.ts';
import type { SweepStore } from './sweepStore.ts';

export interface SweepCommandParts {
  readonly connection: ServerConnection;
  readonly store: RunStore;
  readonly sweeps: SweepStore;
  /** Opens its panel. */
  readonly open: (sweepId: string) => void;
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
    const { connection, store, sweeps, open } = this.parts;
    await attempt('start the sweep', async () => {
      const file = document.uri.scheme === 'file' ? document.uri.fsPath : null;
      const { places } = await connection.request('sweep/places', {});
      const on = await pickPlace(places);
      if (on === undefined) return;
      const asked = { text: document.getText(), file, on, overrides: { ...machineOverrides() } };
      try {
        const sweep = await connection.request('sweep/start', asked);
        sweeps.apply(sweep);
        await store.refresh();
        if (setting<boolean>('kafscope.openDashboardOnTrain') ?? true) {
          open(sweep.id);
          return;
        }
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

  /** Cells whose runs failed once more. */
  again(argument?: unknown): Promise<void> {
    return isTrusted('train') ? this.ask(argument, 'again', 'Run Failed Cells of') : Promise.resolve();
  }

  async show(argument?: unknown): Promise<void> {
    const sweep = await this.pick(argument, 'Show which sweep?', () => true);
    if (sweep) this.parts.open(sweep.id);
  }

  /** What a panel asks. */
  async askOf(sweepId: string, ask: SweepAsk): Promise<void> {
    const isWork = ask === 'go-on' || ask === 'again';
    if (isWork && !isTrusted('train')) return;
    await attempt(`${askVerbs[ask]} the sweep`, async () => {
      this.parts.sweeps.apply(await this.parts.connection.request('sweep/ask', { sweepId, ask }));
    });
  }

  private async ask(argument: unknown, ask: SweepAsk, verb: string): Promise<void> {
    const fits = (sweep: SweepSummary) => allowedAsks(sweep).includes(ask);
    const sweep = await this.pick(argument, `${verb} which sweep?`, fits);
    if (sweep) await this.askOf(sweep.id, ask);
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

const askVerbs: Readonly<Record<SweepAsk, string>> = {
  ...{ pause: 'pause', 'go-on': 'resume', stop: 'stop', again: 'run the failed cells of' },
};

/** Asks where more than this machine could work on it. Undefined where nothing was chosen, or nothing can. */
async function pickPlace(places: readonly SweepPlace[]): Promise<string | undefined> {
  const { choices, fault } = placeChoices(places);
  if (choices.length === 0) {
    void vscode.window.showWarningMessage(fault ?? 'There is nothing here that could work on a sweep.');
    return undefined;
  }
  if (places.length === 1) return choices[0]!.on;
  const placeHolder = fault ?? undefined;
  const title = 'Work on the sweep where?';
  return (await vscode.window.showQuickPick(choices, { title, ...(placeHolder && { placeHolder }) }))?.on;
}
