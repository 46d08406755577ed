// Train: sends the experiment as it stands in the editor, and opens the dashboard of what the server starts.
import path from 'node:path';
import * as vscode from 'vscode';
import { requestErrorCodes } from '../../server/protocol/errors.ts';
import type { ExperimentIssue } from '../../server/protocol/issue.ts';
import type { RunSummary } from '../../server/protocol/run.ts';
import { hasMatrix } from '../../server/protocol/sweep.ts';
import { RequestFailure } from '../connection/requestFailure.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';
import type { RunStore } from '../runs/runStore.ts';
import { attempt } from '../showFailure.ts';
import { experimentDocument } from './experimentSource.ts';
import { issueSentence } from './issueSentence.ts';
import { machineOverrides, setting } from './machineOverrides.ts';
import { isTrusted } from './workspaceTrust.ts';

export interface TrainParts {
  readonly connection: ServerConnection;
  readonly store: RunStore;
  readonly openDashboard: (runId: string) => void;
  readonly openComparison: (runIds: readonly string[]) => void;
  readonly startSweep: (document: vscode.TextDocument) => Promise<void>;
}

/** @param argument a file, its address as text, or nothing for the active editor */
export async function train(
  parts: TrainParts,
  argument: unknown,
  overrides: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  if (!isTrusted('train')) return;
  const document = await experimentDocument(argument);
  if (!document) return;
  if (hasMatrix(document.getText()) && Object.keys(overrides).length === 0) {
    const chosen = await sweepOrRuns(document);
    if (chosen === startSweep) await parts.startSweep(document);
    if (chosen !== oneByOne) return;
  }
  await attempt('start the run', async () => {
    try {
      await start(parts, document, { ...machineOverrides(), ...overrides });
    } catch (error) {
      if (!isBadExperiment(error)) throw error;
      await showIssue(document, error.issues[0]);
    }
  });
}

const [startSweep, oneByOne] = ['Start Sweep', 'One After the Other'] as const;

async function sweepOrRuns({ uri }: vscode.TextDocument): Promise<string | undefined> {
  const name = path.posix.basename(uri.path);
  const detail = `As a sweep several runs go at once, cells that have run are not run again, and one panel shows them all. One after the other, every cell is trained anew.`;
  const message = `${name} has a matrix: train its cells as a sweep?`;
  return vscode.window.showInformationMessage(message, { modal: true, detail }, startSweep, oneByOne);
}

async function start(
  { connection, store, openDashboard, openComparison }: TrainParts,
  document: vscode.TextDocument,
  overrides: Record<string, unknown>,
): Promise<void> {
  const file = document.uri.scheme === 'file' ? document.uri.fsPath : null;
  const title = `Starting ${path.posix.basename(document.uri.path)}`;
  const location = vscode.ProgressLocation.Notification;
  await vscode.window.withProgress({ location, title, cancellable: true }, async (_, token) => {
    let runs: readonly RunSummary[];
    try {
      ({ runs } = await connection.request('run/start', { text: document.getText(), file, overrides }, token));
    } catch (error) {
      if (token.isCancellationRequested) return;
      throw error;
    }
    for (const run of runs) store.apply(run, { isDeleted: false });
    if (token.isCancellationRequested) {
      // It had started before the cancellation arrived.
      await Promise.all(runs.map(({ id }) => connection.request('run/stop', { runId: id })));
      return;
    }
    const opens = setting<boolean>('kafscope.openDashboardOnTrain') ?? true;
    if (opens && runs[0]) openDashboard(runs[0].id);
    if (opens && runs.length > 1) void offerOthers(runs, { openDashboard, openComparison });
  });
}

const [compareAll, openAll] = ['Compare Them', 'Open All'] as const;

/** More dashboards than a row of tabs shows are not offered. */
const mostDashboards = 8;

/** Of several seeds the first one's dashboard is open; the others are a click away, beside it or in one panel. */
async function offerOthers(
  runs: readonly RunSummary[],
  { openDashboard, openComparison }: Pick<TrainParts, 'openDashboard' | 'openComparison'>,
): Promise<void> {
  const message = `${runs.length} runs have been started; the first is shown.`;
  const choices = runs.length <= mostDashboards ? [compareAll, openAll] : [compareAll];
  const chosen = await vscode.window.showInformationMessage(message, ...choices);
  if (chosen === compareAll) openComparison(runs.map(({ id }) => id));
  if (chosen === openAll) for (const { id } of runs.slice(1)) openDashboard(id);
}

export function isBadExperiment(error: unknown): error is RequestFailure {
  return error instanceof RequestFailure && error.code === requestErrorCodes.badExperiment && error.issues.length > 0;
}

export async function showIssue(document: vscode.TextDocument, issue: ExperimentIssue | undefined): Promise<void> {
  if (!issue) return;
  const sentence = `${path.posix.basename(document.uri.path)}, ${issueSentence(issue)}`;
  if ((await vscode.window.showErrorMessage(sentence, 'Show')) !== 'Show') return;
  const { start: from, end: to } = issue.range;
  const selection = new vscode.Range(from.line, from.character, to.line, to.character);
  await vscode.window.showTextDocument(document, { selection });
  await vscode.commands.executeCommand('workbench.actions.view.problems');
}
