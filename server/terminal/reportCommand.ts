// `kafscope report`: the evaluations of runs as a table in Markdown, the worst case beside the thesis's protocol; and of two runs whether
// they differ on the same images.
import { isDeepStrictEqual } from 'node:util';
import { EvaluationsFold, type EvaluationSoFar } from '../attack/evaluationState.ts';
import {
  boundMark,
  distanceTicks,
  evaluationTitle,
  isCertificatePlan,
  isDetectorPlan,
} from '../protocol/evaluationPlan.ts';
import { discordance, mcNemarP } from '../protocol/mcNemar.ts';
import type { EvaluationFinishedRecord, Proportion } from '../protocol/records.ts';
import { activationText } from '../experiment/describePlan.ts';
import { RunHistory } from '../run/runHistory.ts';
import { percent, tellDetections } from './reportEvaluation.ts';
import { runNames } from './runNames.ts';
import { strengthened, strengthText } from './reportStrength.ts';
import { exitCodes, type Terminal } from './terminal.ts';

interface Evaluated extends EvaluationSoFar {
  readonly folder: string;
  readonly run: string;
  readonly dataset: unknown;
  /** For people. */
  readonly activation: string;
  readonly finished: EvaluationFinishedRecord;
  readonly mark: string;
}

/** @param folders of runs @throws StorageError @returns the exit code */
export function reportCommand(folders: readonly string[], terminal: Terminal): number {
  const all = evaluationsOf(folders);
  terminal.line('| run | evaluation | ε | images | clean | worst case | 95 % | thesis | audit |');
  terminal.line('| --- | --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const one of all) {
    const { run, plan, finished, mark } = one;
    const { clean, robust, thesis, samples, audit } = finished;
    const cells = [
      ...[
        run,
        evaluationTitle(plan),
        `${plan.norm} ${Number(plan.epsilon.toPrecision(4)).toString()}`,
        String(samples),
      ],
      ...[percent(clean.value)],
      // What a detector notices stands below.
      ...(isDetectorPlan(plan) ? ['–', '–'] : [`${mark}${percent(robust.value)}`, interval(robust)]),
      ...[thesis ? percent(thesis.value) : '–', audit ? audit.map(({ flag }) => flag).join(', ') || 'sound' : '–'],
    ];
    terminal.line(`| ${cells.join(' | ')} |`);
    terminal.event({ type: 'evaluation', run, plan, isUpperBound: mark === '≤ ', ...pick(finished) });
  }
  for (const one of all) {
    tellCertificate(one, terminal);
    if (!isDetectorPlan(one.plan)) continue;
    terminal.line('');
    terminal.line(`${one.run}, ${evaluationTitle(one.plan)}:`);
    tellDetections(one.plan.falseAlarms, one.state?.detections ?? [], (text) => {
      terminal.line(text);
    });
  }
  const stronger = folders.flatMap((folder) =>
    strengthOf(
      all.filter((one) => one.folder === folder),
      terminal,
    ),
  );
  if (stronger.length > 0) terminal.line('');
  for (const text of stronger) terminal.line(text);
  const pairs = pairsOf(all);
  if (pairs.length > 0) terminal.line('');
  for (const [first, second] of pairs) {
    const counts = discordance(first.state!.outcomes, second.state!.outcomes);
    const p = mcNemarP(counts);
    const { onlyFirst, onlySecond } = counts;
    terminal.line(
      `${evaluationTitle(first.plan)}, ${String(first.finished.samples)} images: ${String(onlyFirst)} stand under ${first.run} alone, ${String(onlySecond)} under ${second.run} alone; McNemar p = ${p < 1e-4 ? p.toExponential(1) : p.toFixed(4)}`,
    );
    terminal.event({ type: 'comparison', first: first.run, second: second.run, plan: first.plan, ...counts, p });
  }
  terminal.event({ type: 'done', evaluations: all.length, comparisons: pairs.length });
  return exitCodes.done;
}

/** What is said of one run's strong attacks beside its others; programs are told it at once. */
function strengthOf(of: readonly Evaluated[], terminal: Terminal): string[] {
  const [first] = of;
  return strengthened(of).map((found) => {
    const { strong, weaker, ...counts } = found;
    terminal.event({ type: 'strength', run: first!.run, strong: strong.plan, weaker: weaker.plan, ...counts });
    return `${first!.run}, ${first!.activation}: ${strengthText(found)}`;
  });
}

function pick({ clean, robust, thesis, samples, audit, abstained }: EvaluationFinishedRecord) {
  return {
    clean,
    robust,
    samples,
    ...(thesis && { thesis }),
    ...(audit && { audit }),
    ...(abstained && { abstained }),
  };
}

/** Certified accuracy by radius, and how many images have none. */
function tellCertificate({ run, plan, state, finished }: Evaluated, terminal: Terminal): void {
  const distances = state?.distances;
  if (!isCertificatePlan(plan) || !distances || distances.length === 0) return;
  const share = (radius: number) => distances.filter((distance) => distance > radius).length / distances.length;
  const figures = distanceTicks(distances).map((radius) => `${String(radius)}: ${percent(share(radius))}`);
  const abstained = finished.abstained ? `; it abstains from ${String(finished.abstained)} images` : '';
  terminal.line('');
  terminal.line(`${run}, ${evaluationTitle(plan)}, certified beyond a radius of ${figures.join(', ')}${abstained}`);
}

/** Those that ran to their end. */
function evaluationsOf(folders: readonly string[]): Evaluated[] {
  const histories = folders.map((folder) => ({ folder, history: new RunHistory(folder) }));
  const names = runNames(histories.map(({ folder, history }) => ({ folder, plan: history.origin.plan })));
  return histories.flatMap(({ folder, history }) => evaluatedIn(folder, history, names.get(folder)!));
}

function evaluatedIn(folder: string, history: RunHistory, run: string): Evaluated[] {
  const fold = new EvaluationsFold();
  const finished = new Map<number, EvaluationFinishedRecord>();
  try {
    history.forEachRow(0, ({ record }) => {
      fold.hear(record);
      if (record.type === 'evaluationFinished' && !record.isPartial) finished.set(record.evaluation, record);
    });
  } finally {
    history.close();
  }
  const { plan } = history.origin;
  const views = fold.all.flatMap((one) => {
    const end = finished.get(one.number);
    return end ? [{ ...one, started: { plan: one.plan, step: one.step }, finished: end }] : [];
  });
  return views.map((one) => ({
    ...{ ...one, folder, run, dataset: plan.dataset, activation: activationText(plan.model.activation) },
    mark: boundMark(one, views),
  }));
}

/** Evaluations of two runs by the same attack on the same images, each told image by image. */
function pairsOf(all: readonly Evaluated[]): [Evaluated, Evaluated][] {
  return all.flatMap((first, index) =>
    all
      .slice(index + 1)
      .filter(
        (second) =>
          second.folder !== first.folder &&
          isDeepStrictEqual(second.plan, first.plan) &&
          isDeepStrictEqual(second.dataset, first.dataset) &&
          first.state?.outcomes.length === first.finished.samples &&
          second.state?.outcomes.length === first.finished.samples,
      )
      .map((second): [Evaluated, Evaluated] => [first, second]),
  );
}

function interval({ low, high }: Proportion): string {
  return `${percent(low)} – ${percent(high)}`;
}
