// The Runs view. What is in it is decided in runsModel.ts.
import * as vscode from 'vscode';
import { healthRules } from '../../server/health/healthRules.ts';
import { hasFailed } from '../../server/health/healthWatch.ts';
import { runTitle, statusText } from '../../server/protocol/run.ts';
import type { RunStatus, RunSummary } from '../../server/protocol/run.ts';
import type { CommandId } from '../contributions.ts';
import { checkpointViewType, viewIds } from '../contributions.ts';
import { canCompare, checkpointContextValue, runContextValue } from './runActions.ts';
import type { RunStore } from './runStore.ts';
import type { RunNode, RunsNode } from './runsModel.ts';
import { leftOutText, runsForest } from './runsModel.ts';
import type { RunsView } from './runsView.ts';
import { count, figureLines } from './runText.ts';
import { sweepContextValue, withSweeps } from '../sweeps/sweepNodes.ts';
import type { SweepStore } from '../sweeps/sweepStore.ts';

export class RunsTree implements vscode.TreeDataProvider<RunsNode>, vscode.Disposable {
  private readonly store: RunStore;
  private readonly changeEmitter = new vscode.EventEmitter<void>();
  private readonly view: RunsView;
  private readonly sweeps: Pick<SweepStore, 'sweeps' | 'onDidChange'>;
  private readonly subscriptions: readonly { dispose(): void }[];
  readonly onDidChangeTreeData = this.changeEmitter.event;

  constructor(store: RunStore, view: RunsView, sweeps: Pick<SweepStore, 'sweeps' | 'onDidChange'>) {
    this.store = store;
    this.view = view;
    this.sweeps = sweeps;
    const fire = (): void => {
      this.changeEmitter.fire();
    };
    this.subscriptions = [store.onDidChange(fire), view.onDidChange(fire), sweeps.onDidChange(fire)];
  }

  /** What the view says above its rows; empty for nothing. */
  get message(): string {
    return leftOutText(this.store.runs, this.view.choice);
  }

  getChildren(node?: RunsNode): readonly RunsNode[] & RunsNode[] {
    if (!node) return [...withSweeps(runsForest(this.store.runs, this.view.choice), this.sweeps.sweeps)];
    switch (node.type) {
      case 'experiment':
      case 'trash':
        return [...node.runs];
      case 'run':
      case 'earlier':
        return [...node.checkpoints];
      case 'checkpoint':
        return [];
      default:
        return node satisfies never;
    }
  }

  getTreeItem(node: RunsNode): vscode.TreeItem {
    switch (node.type) {
      case 'experiment': {
        const item = new vscode.TreeItem(node.label, vscode.TreeItemCollapsibleState.Expanded);
        return Object.assign(item, {
          id: node.key,
          description: node.description,
          ...this.box(node.runs.map(({ run }) => run)),
          ...(node.sweep
            ? {
                contextValue: sweepContextValue(node.sweep),
                command: command('kafscope.showSweep', 'Show Sweep', { sweep: node.sweep }),
              }
            : { contextValue: 'experiment' }),
        });
      }
      case 'trash': {
        const item = new vscode.TreeItem(node.label, vscode.TreeItemCollapsibleState.Collapsed);
        const iconPath = new vscode.ThemeIcon('trash');
        return Object.assign(item, { id: trashId, description: node.description, iconPath, contextValue: 'trash' });
      }
      case 'run': {
        const { run } = node;
        const hasChildren = node.checkpoints.length > 0;
        const item = new vscode.TreeItem(
          node.label,
          hasChildren ? vscode.TreeItemCollapsibleState.Collapsed : vscode.TreeItemCollapsibleState.None,
        );
        return Object.assign(item, {
          id: run.id,
          description: node.description,
          ...this.box([run]),
          iconPath: node.waits === undefined ? runIcon(run) : statusIcon('queued'),
          // What a cluster will begin by itself has no second beginning here.
          contextValue: runContextValue(run, node.waits === undefined ? {} : { without: ['resume', 'evaluate'] }),
          tooltip: runTooltip(node),
          accessibilityInformation: { label: spoken(run, node) },
          command: command('kafscope.openDashboard', 'Open Dashboard', run.id),
        });
      }
      case 'earlier': {
        const item = new vscode.TreeItem(node.label, vscode.TreeItemCollapsibleState.Collapsed);
        return Object.assign(item, { id: `${node.run.id}/earlier`, contextValue: 'earlier' });
      }
      case 'checkpoint': {
        const item = new vscode.TreeItem(node.label, vscode.TreeItemCollapsibleState.None);
        const uri = vscode.Uri.file(node.file);
        return Object.assign(item, {
          id: `${node.run.id}/${node.checkpoint.file}`,
          description: node.description,
          iconPath: new vscode.ThemeIcon('save'),
          contextValue: checkpointContextValue(node.run),
          tooltip: node.file,
          // Without it the tooltip would be read aloud, and nothing else.
          accessibilityInformation: { label: `${node.label}, ${node.description}` },
          command: { command: 'vscode.openWith', title: 'Inspect Checkpoint', arguments: [uri, checkpointViewType] },
        });
      }
      default:
        return node satisfies never;
    }
  }

  /** To tick a run to be compared, or all of an experiment. */
  private box(runs: readonly RunSummary[]): Pick<vscode.TreeItem, 'checkboxState'> {
    const { ticked } = this.view.choice;
    const comparable = runs.filter(canCompare);
    if (ticked === null || comparable.length === 0) return {};
    const { Checked, Unchecked } = vscode.TreeItemCheckboxState;
    return { checkboxState: comparable.every(({ id }) => ticked.includes(id)) ? Checked : Unchecked };
  }

  /** What VS Code tells of boxes: with that of an experiment those of its runs. */
  tick(changed: readonly (readonly [RunsNode, vscode.TreeItemCheckboxState])[]): void {
    const isTicked = changed.flatMap(([node, state]) =>
      node.type === 'run' ? [[node.run.id, state === vscode.TreeItemCheckboxState.Checked] as const] : [],
    );
    this.view.tick(new Map(isTicked));
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.changeEmitter.dispose();
  }
}

/** The view itself, in which several rows can be chosen; it says above them what it leaves out. */
export function showRunsTree(tree: RunsTree): vscode.TreeView<RunsNode> {
  const view = vscode.window.createTreeView(viewIds.runs, { treeDataProvider: tree, canSelectMany: true });
  const tell = (): void => {
    view.message = tree.message;
  };
  tell();
  tree.onDidChangeTreeData(tell);
  view.onDidChangeCheckboxState(({ items }) => {
    tree.tick(items);
  });
  return view;
}

/** No run's, whose names hold no slash. */
const trashId = '/trash';

/** Each thing once: often the description is the status, and the label of what can't be read its name. */
function spoken(run: RunSummary, { label, description, waits }: RunNode): string {
  const found = (run.health ?? []).map(({ rule }) => healthRules[rule].title);
  return [...new Set([run.name, label, ...(waits === undefined ? [statusText(run)] : []), description, ...found])]
    .filter((text) => text !== '')
    .join(', ');
}

function command(id: CommandId, title: string, ...args: unknown[]): vscode.Command {
  return { command: id, title, arguments: args };
}

/** Icon and colour by status; colours are the theme's. */
const statusIcons: Readonly<Record<RunStatus, readonly [icon: string, color: string]>> = {
  waiting: ['circle-large-outline', 'descriptionForeground'],
  queued: ['watch', 'descriptionForeground'],
  preparing: ['loading~spin', 'charts.blue'],
  training: ['circle-filled', 'charts.green'],
  paused: ['debug-pause', 'charts.yellow'],
  evaluating: ['shield', 'charts.blue'],
  finished: ['pass', 'charts.green'],
  stopped: ['stop-circle', 'descriptionForeground'],
  interrupted: ['debug-disconnect', 'charts.yellow'],
  diverged: ['flame', 'errorForeground'],
  failed: ['error', 'errorForeground'],
  damaged: ['warning', 'errorForeground'],
};

/** That of the status; of a run that came to its end with a failure of its health a warning. */
function runIcon({ status, health = [] }: RunSummary): vscode.ThemeIcon {
  if (status !== 'finished' || !hasFailed(health)) return statusIcon(status);
  return new vscode.ThemeIcon('warning', new vscode.ThemeColor('errorForeground'));
}

export function statusIcon(status: RunStatus): vscode.ThemeIcon {
  const [icon, color] = statusIcons[status];
  return new vscode.ThemeIcon(icon, new vscode.ThemeColor(color));
}

function runTooltip({ run, waits }: RunNode): vscode.MarkdownString {
  const tooltip = new vscode.MarkdownString();
  const state = waits === undefined ? statusText(run) : `waits: ${waits}`;
  const lines = [
    ...(run.mark?.title === undefined ? [] : [`${run.name} · seed ${String(run.seed)}`]),
    run.description,
    run.steps === 0
      ? state
      : `${state} · step ${count(run.step)} of ${count(run.steps)} · epoch ${run.epoch} of ${run.epochs}`,
    ...figureLines(run),
    run.device,
    run.message,
    ...markLines(run),
    ...(run.health ?? []).map(
      ({ rule, step, evidence }) => `${healthRules[rule].title} (step ${count(step)}): ${evidence}`,
    ),
    run.folder,
  ];
  tooltip.appendMarkdown(`**${escapeMarkdown(runTitle(run))}**\n\n`);
  for (const line of lines) if (line) tooltip.appendMarkdown(`${escapeMarkdown(line)}\n\n`);
  return tooltip;
}

function markLines({ mark }: RunSummary): string[] {
  const { tags = [], note } = mark ?? {};
  return [tags.map((tag) => `#${tag}`).join(' '), note ?? ''].filter((text) => text !== '');
}

function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!<>|~]/g, '\\$&');
}
