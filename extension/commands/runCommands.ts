// What a person can do with a run: pause, resume, stop, delete, evaluate. Panels and palette come here alike.
import * as vscode from 'vscode';
import type { RunSummary } from '../../server/protocol/run.ts';
import { runTitle } from '../../server/protocol/run.ts';
import type { EvaluationPlan } from '../../server/protocol/plan.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';
import { canDo } from '../runs/runActions.ts';
import type { RunStore } from '../runs/runStore.ts';
import { attempt } from '../showFailure.ts';
import {
  evaluationChoices,
  evaluationPlan,
  fractionText,
  mostEpsilon,
  parseEpsilon,
  parseSamples,
  placesOf,
  proposedPlan,
  type EvaluationChoice,
} from './evaluationChoices.ts';
import { openAsExperiment } from './newExperiment.ts';
import { checkpointIn, pickRun, pickRuns } from './pickRun.ts';
import { isTrusted } from './workspaceTrust.ts';

export interface RunCommandParts {
  readonly connection: ServerConnection;
  readonly store: RunStore;
  readonly openDashboard: (runId: string, tab?: 'robustness') => void;
}

export class RunCommands {
  private readonly parts: RunCommandParts;

  constructor(parts: RunCommandParts) {
    this.parts = parts;
  }

  async pause(argument?: unknown): Promise<void> {
    const run = await this.pick(argument, 'pause', 'Pause which run?', 'No run is training.');
    if (run) await this.intend('pause', run.id);
  }

  async resume(argument?: unknown): Promise<void> {
    const run = await this.pick(argument, 'resume', 'Resume which run?', 'No run is paused or was cut off.');
    if (run) await this.intend('resume', run.id);
  }

  async stop(argument?: unknown): Promise<void> {
    const run = await this.pick(argument, 'stop', 'Stop which run?', 'No run is at work.');
    if (run) await this.intend('stop', run.id);
  }

  async intend(intent: 'pause' | 'resume' | 'stop', runId: string): Promise<void> {
    if (intent === 'resume' && !isTrusted('train')) return;
    const where = intent === 'resume' ? await placeOfData(this.parts.store.get(runId)) : {};
    if (!where) return;
    await attempt(`${intent} the run`, async () => {
      const run = await this.parts.connection.request(`run/${intent}`, { runId, ...where });
      this.parts.store.apply(run, { isDeleted: false });
    });
  }

  async delete(...given: readonly unknown[]): Promise<void> {
    const fits = (run: RunSummary) => canDo('delete', run);
    const options = { title: 'Delete which run?', nothing: 'No run has ended.', fits };
    const runs = (await pickRuns(this.parts.store, given, options)).filter(fits);
    await this.deleteForGood(runs);
  }

  async emptyTrash(): Promise<void> {
    const trashed = this.parts.store.runs.filter((run) => canDo('restore', run) && canDo('delete', run));
    if (trashed.length > 0) await this.deleteForGood(trashed);
    else void vscode.window.showInformationMessage('The trash is empty.');
  }

  private async deleteForGood(runs: readonly RunSummary[]): Promise<void> {
    const [first] = runs;
    if (!first) return;
    const detail =
      runs.length === 1
        ? `Its history and ${checkpoints(first)} in ${first.folder} are deleted for good.`
        : `Their histories and checkpoints are deleted for good: ${runs.map(runTitle).join(', ')}.`;
    const question = runs.length === 1 ? `Delete the run “${runTitle(first)}”?` : `Delete ${runs.length} runs?`;
    const answer = await vscode.window.showWarningMessage(question, { modal: true, detail }, 'Delete');
    if (answer !== 'Delete') return;
    for (const run of runs) {
      await attempt('delete the run', async () => {
        await this.parts.connection.request('run/delete', { runId: run.id });
        this.parts.store.apply(run, { isDeleted: true });
      });
    }
  }

  /** The run's plan, every key spelled out, as a new experiment; `factor` multiplies its learning rates. */
  async copyPlan(argument?: unknown, factor = 1): Promise<void> {
    const run = await pickRun(this.parts.store, argument, {
      fits: ({ status }) => status !== 'damaged',
      title: 'Copy the plan of which run?',
      nothing: 'There is no run yet.',
    });
    if (!run) return;
    await attempt('copy the plan', async () => {
      const { name, text } = await this.parts.connection.request('run/experiment', { runId: run.id, factor });
      await openAsExperiment(name, text);
    });
  }

  /** Trains on from a checkpoint as a run of its own. @param argument the tree's checkpoint, or its run and file */
  async fork(argument?: unknown): Promise<void> {
    const from = checkpointIn(argument);
    if (!from || !isTrusted('train')) return;
    await attempt('train on from the checkpoint', async () => {
      const run = await this.parts.connection.request('run/fork', { runId: from.run.id, checkpoint: from.file });
      this.parts.store.apply(run, { isDeleted: false });
      this.parts.openDashboard(run.id);
    });
  }

  async openFolder(argument?: unknown): Promise<void> {
    const run = await pickRun(this.parts.store, argument, {
      fits: () => true,
      title: 'Open the folder of which run?',
      nothing: 'There is no run yet.',
    });
    if (!run) return;
    const uri = vscode.Uri.file(run.folder);
    // On another machine, or in a browser, there is no window of files to show.
    const isHere = vscode.env.remoteName === undefined && vscode.env.uiKind === vscode.UIKind.Desktop;
    await (isHere
      ? vscode.commands.executeCommand('revealFileInOS', uri)
      : vscode.commands.executeCommand('vscode.openFolder', uri, { forceNewWindow: true }));
  }

  async openDashboard(argument?: unknown): Promise<void> {
    const run = await pickRun(this.parts.store, argument, {
      fits: () => true,
      title: 'Open the dashboard of which run?',
      nothing: 'There is no run yet. Open an experiment and press Train.',
    });
    if (run) this.parts.openDashboard(run.id);
  }

  /** Asks for the attack, certificate or detector, for ε, the number of images and what else it can't do without. */
  async evaluate(argument?: unknown): Promise<void> {
    if (!isTrusted('evaluate')) return;
    const run = await this.pick(
      argument,
      'evaluate',
      'Evaluate which run?',
      'No run at rest has a checkpoint to evaluate.',
    );
    if (!run) return;
    const checkpoint = checkpointIn(argument)?.file ?? null;
    const of = checkpoint === null ? '' : `, ${checkpoint}`;
    const first = await this.firstEvaluation(run.id);
    if (!first) return;
    const evaluation = await askForEvaluation(`Evaluate ${runTitle(run)}${of}`, first);
    if (evaluation) await this.startEvaluation(run.id, evaluation, checkpoint);
  }

  /** Which evaluation the dashboard's form would offer; undefined where that was not to be had, which is said. */
  private async firstEvaluation(runId: string): Promise<EvaluationPlan | undefined> {
    let first: EvaluationPlan | undefined;
    await attempt('read the plan', async () => {
      ({ evaluation: first } = await this.parts.connection.request('run/experiment', { runId }));
    });
    return first;
  }

  /** @param checkpoint its file's name; null for the last */
  async startEvaluation(runId: string, evaluation: EvaluationPlan, checkpoint: string | null = null): Promise<void> {
    if (!isTrusted('evaluate')) return;
    const where = await placeOfData(this.parts.store.get(runId));
    if (!where) return;
    await attempt('start the evaluation', async () => {
      const request = { runId, checkpoint, evaluation, ...where };
      const run = await this.parts.connection.request('evaluation/start', request);
      this.parts.store.apply(run, { isDeleted: false });
      this.parts.openDashboard(runId, 'robustness');
    });
  }

  async resumeEvaluation(runId: string, evaluation: number): Promise<void> {
    if (!isTrusted('evaluate')) return;
    const where = await placeOfData(this.parts.store.get(runId));
    if (!where) return;
    await attempt('go on with the evaluation', async () => {
      const run = await this.parts.connection.request('evaluation/resume', { runId, evaluation, ...where });
      this.parts.store.apply(run, { isDeleted: false });
    });
  }

  private async pick(
    argument: unknown,
    action: 'pause' | 'resume' | 'stop' | 'evaluate',
    title: string,
    nothing: string,
  ): Promise<RunSummary | undefined> {
    return pickRun(this.parts.store, argument, { fits: (run) => canDo(action, run), title, nothing });
  }
}

/** Asked for where the run's last work did not find its data: where it lies now, or that it is back. Undefined where nothing was chosen. */
async function placeOfData(run: RunSummary | undefined): Promise<{ readonly dataFolder?: string } | undefined> {
  if (run?.missing !== 'data') return {};
  const choose = 'Choose Folder…';
  const again = 'Look There Again';
  const sentence = `The data of “${runTitle(run)}” was not found where the run had it. Where does it lie now?`;
  const answer = await vscode.window.showWarningMessage(
    sentence,
    { modal: true, detail: run.message ?? '' },
    choose,
    again,
  );
  if (answer === again) return {};
  if (answer !== choose) return undefined;
  const options = { title: 'Folder that holds the data', openLabel: 'Use This Folder', canSelectFolders: true };
  const [folder] = (await vscode.window.showOpenDialog({ ...options, canSelectFiles: false })) ?? [];
  return folder && { dataFolder: folder.fsPath };
}

/** @param first whose norm, ε and number of images are proposed */
async function askForEvaluation(title: string, first: EvaluationPlan): Promise<EvaluationPlan | undefined> {
  const choice = await askForChoice(title);
  if (!choice) return undefined;
  const proposed = proposedPlan(choice, first);
  const { norm } = proposed;
  const most = mostEpsilon(proposed);
  const ask = (options: vscode.InputBoxOptions) =>
    vscode.window.showInputBox({ title: `${title}, ${choice.label}`, ignoreFocusOut: true, ...options });

  const places: Record<string, string> = {};
  for (const [name, { description, expected }] of placesOf(choice.attack)) {
    const validateInput = (text: string) => (text.trim() === '' ? `Give ${expected}.` : null);
    const place = await ask({ prompt: description, placeHolder: expected, validateInput });
    if (place === undefined) return undefined;
    places[name] = place.trim();
  }
  const epsilon = await ask({
    prompt:
      norm === 'linf'
        ? 'ε, the largest change of a pixel value in [0, 1]'
        : 'ε, the change’s length under L2, of pixel values in [0, 1]',
    value: norm === 'linf' ? fractionText(proposed.epsilon) : String(proposed.epsilon),
    validateInput: (text) =>
      parseEpsilon(text, most) === null
        ? `A number or fraction in (0, ${String(most)}], such as ${norm === 'linf' ? '8/255' : '0.5'}.`
        : null,
  });
  if (epsilon === undefined) return undefined;
  const samples = await ask({
    prompt: 'How many test images, from the first on',
    value: String(proposed.samples),
    validateInput: (text) => (parseSamples(text) === null ? 'A whole number of at least 1.' : null),
  });
  if (samples === undefined) return undefined;
  const asked = { norm, epsilon: parseEpsilon(epsilon, most) ?? 0, samples: parseSamples(samples) ?? 0 };
  return evaluationPlan(choice, { ...asked, ...places });
}

async function askForChoice(title: string): Promise<EvaluationChoice | undefined> {
  const headings = { attack: 'Attacks', certificate: 'Certificates', detector: 'Detectors' } as const;
  const items = evaluationChoices.flatMap(([kind, choices]) => [
    { label: headings[kind], kind: vscode.QuickPickItemKind.Separator },
    ...choices.map((choice) => ({ label: choice.label, description: choice.description, choice })),
  ]);
  const placeHolder = 'Attack, certificate or detector';
  const picked = await vscode.window.showQuickPick(items, {
    ...{ title, placeHolder, ignoreFocusOut: true, matchOnDescription: true },
  });
  return picked && 'choice' in picked ? picked.choice : undefined;
}

function checkpoints({ checkpoints: { length } }: RunSummary): string {
  return length === 1 ? '1 checkpoint' : `${length} checkpoints`;
}
