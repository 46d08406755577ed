// `kafscope lr-find`: sweeps the learning rate of an experiment, tells its points and what they suggest, and may write it into the file.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { applyLearningRate } from '../experiment/applyLearningRate.ts';
import { compileExperiment } from '../experiment/compileExperiment.ts';
import { issueText } from '../protocol/issue.ts';
import { suggestedEnds, suggestRates, type SweepOptions, type SweepPoint } from '../protocol/learningRates.ts';
import type { OpenTrainer } from '../run/trainer.ts';
import { onInterrupt } from './interrupt.ts';
import { readTextFile } from './readTextFile.ts';
import { exitCodes, type Terminal } from './terminal.ts';

export interface LrFindCommand extends SweepOptions {
  readonly file: string;
  readonly overrides: Readonly<Record<string, unknown>>;
  /** Of the loss on clean images, whatever the method. */
  readonly isClean: boolean;
  /** Writes what is suggested into the file. */
  readonly isApplied: boolean;
}

/** @returns the exit code */
export async function lrFindCommand(
  { file, overrides, isClean, isApplied, ...sweep }: LrFindCommand,
  { terminal, openTrainer }: { readonly terminal: Terminal; readonly openTrainer: OpenTrainer },
): Promise<number> {
  const text = readTextFile(file);
  const place = { file: path.resolve(file), homeFolder: os.homedir() };
  const method = isClean ? { 'training.method': 'standard', 'training.threat': null } : {};
  const { plans, issues } = compileExperiment(text, { ...place, overrides: { ...overrides, ...method } });
  for (const issue of issues) {
    if (issue.severity === 'error') terminal.error(`${file}: ${issueText(issue)} — ${issue.remedy}`);
  }
  const plan = plans[0];
  if (!plan) return exitCodes.usage;
  const trainer = await openTrainer(plan);
  const controller = new AbortController();
  const release = onInterrupt(terminal, () => {
    controller.abort();
  });
  const points: SweepPoint[] = [];
  try {
    for await (const point of trainer.findLearningRate(plan, { ...sweep, signal: controller.signal })) {
      points.push(point);
      terminal.event({ type: 'point', ...point });
      const { step, learningRate, loss, smoothed } = point;
      terminal.line(
        `${String(step)}/${String(sweep.steps)} · rate ${learningRate.toExponential(2)} · loss ${loss.toFixed(4)} · smoothed ${smoothed.toFixed(4)}`,
      );
    }
  } finally {
    release();
  }
  if (controller.signal.aborted) return exitCodes.interrupted;
  const suggestions = suggestRates(points);
  const ends = suggestedEnds(suggestions);
  terminal.event({ type: 'done', steps: points.length, suggestions, ends });
  for (const { name, learningRate, reason } of suggestions) {
    terminal.line(`${name}: ${learningRate.toExponential(1)} — ${reason}`);
  }
  if (!ends) {
    terminal.error('The loss never fell: widen the sweep by --from and --to, or give it more --steps.');
    return exitCodes.failed;
  }
  terminal.line(`min ${String(ends.min)} · max ${String(ends.max)}`);
  if (isApplied) {
    fs.writeFileSync(file, applyLearningRate(text, ends));
    terminal.line(`written into ${file}`);
  }
  return exitCodes.done;
}
