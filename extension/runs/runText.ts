// Short texts about a run for tree, status bar and pickers. Pure; the panels in webview/ have their own.
import { figureName, figureText, type AttackFigure } from '../../server/protocol/attackFigures.ts';
import type { RunStatus, RunSummary } from '../../server/protocol/run.ts';
import { isLive } from '../../server/protocol/run.ts';

/** `64.1 %` */
export function percent(proportion: number): string {
  return `${(100 * proportion).toFixed(1)} %`;
}

/**
 * Clean accuracy in per cent, and the run's own figure under attack with its interval and its name: `64.1 / ≤ 38.9 % (35.9 – 42.0)
 * PGD-50-10 8/255`. Empty before the first test.
 */
export function accuracies(run: RunSummary): string {
  const [figure] = run.figures ?? [];
  const isTested = run.cleanAccuracy !== null && Number.isFinite(run.cleanAccuracy);
  // The name of a figure beside it says so for both.
  const averaged = run.cleanWeights && !figure?.weights ? ' averaged' : '';
  const clean = isTested ? [`${(100 * run.cleanAccuracy).toFixed(1)}${averaged}`] : [];
  return [...clean, ...(figure ? [namedFigure(run, figure)] : unnamed(run))].join(' / ');
}

function namedFigure({ figures = [], step }: RunSummary, figure: AttackFigure): string {
  return `${figureText(figure, figures)} ${figureName(figure, step)}`;
}

/** Versions before figures had names kept the last attack's value alone. */
function unnamed({ robustAccuracy }: RunSummary): string[] {
  return robustAccuracy !== null && Number.isFinite(robustAccuracy) ? [(100 * robustAccuracy).toFixed(1)] : [];
}

/** Every figure on a line of its own: `PGD-50-10 8/255: ≤ 38.9 % (35.9 – 42.0) of 1,000 images`. */
export function figureLines(run: RunSummary): string[] {
  const { figures = [], cleanAccuracy, cleanWeights, step } = run;
  const averaged = cleanWeights ? ' averaged' : '';
  const isTested = cleanAccuracy !== null && Number.isFinite(cleanAccuracy);
  const clean = isTested ? [`clean${averaged}: ${percent(cleanAccuracy)}`] : [];
  if (figures.length === 0) {
    return [...clean, ...unnamed(run).map((value) => `under the last attack: ${value} %`)];
  }
  const attacked = figures.map((figure) => {
    const stopped = figure.isPartial ? ', stopped' : '';
    return `${figureName(figure, step)}: ${figureText(figure, figures)} of ${count(figure.samples)} images${stopped}`;
  });
  return [...clean, ...attacked];
}

/** What follows a run's label in the tree. */
export function runDescription(run: RunSummary): string {
  const figures = accuracies(run);
  switch (run.status) {
    case 'training':
      return joined(`${run.epoch}/${run.epochs}`, figures);
    case 'finished':
      return figures;
    case 'diverged':
      return `diverged · after step ${count(run.step)}`;
    case 'waiting':
      return 'not started';
    case 'queued':
    case 'preparing':
    case 'paused':
    case 'evaluating':
    case 'stopped':
    case 'interrupted':
    case 'failed':
    case 'damaged':
      return joined(run.status, figures);
    default:
      return run.status satisfies never;
  }
}

/** The live run that changed last, one at work before one that waits; null when nothing is live. */
export function currentRun(runs: readonly RunSummary[]): RunSummary | null {
  const live = runs.filter((run) => isLive(run.status)).sort((a, b) => b.updatedMs - a.updatedMs);
  return live.find((run) => run.status !== 'queued') ?? live[0] ?? null;
}

/** `$(pulse) kaf-light 3/20 · 64.1 %`, and how many more are live. */
export function statusBarText(run: RunSummary, liveRuns: number): string {
  const progress = run.status === 'training' ? `${run.epoch}/${run.epochs}` : run.status;
  const accuracy = run.cleanAccuracy === null ? '' : ` · ${percent(run.cleanAccuracy)}`;
  const others = liveRuns > 1 ? ` +${liveRuns - 1}` : '';
  return `$(${statusBarIcons[run.status]}) ${plainLabel(run.name)} ${progress}${accuracy}${others}`;
}

const statusBarIcons: Readonly<Record<RunStatus, string>> = {
  waiting: 'circle-large-outline',
  queued: 'watch',
  preparing: 'loading~spin',
  training: 'pulse',
  paused: 'debug-pause',
  evaluating: 'shield',
  finished: 'pass',
  stopped: 'stop-circle',
  interrupted: 'debug-disconnect',
  diverged: 'flame',
  failed: 'error',
  damaged: 'warning',
};

/** Where VS Code would make an icon of `$(x)`, or a link of `[x](y)`, the text as it is. */
export function plainLabel(text: string): string {
  return text.replaceAll('$(', '$ (').replaceAll('](', '] (');
}

/** `3,211` */
export function count(value: number): string {
  return value.toLocaleString('en');
}

/** `880 kB`, `13.4 MB` */
export function byteSize(bytes: number): string {
  const [unit, value] = bytes < 1e6 ? ['kB', bytes / 1e3] : bytes < 1e9 ? ['MB', bytes / 1e6] : ['GB', bytes / 1e9];
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ${String(unit)}`;
}

/** `23 Nov, 14:05`, in local time. */
export function shortTime(timeMs: number): string {
  return new Intl.DateTimeFormat('en-GB', {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  }).format(timeMs);
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' · ');
}
