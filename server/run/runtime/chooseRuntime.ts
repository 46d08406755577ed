// What `auto` means on this machine: the fastest runtime that passes its self-test. Trying takes seconds, so the result is kept in
// a file of the user's until something that it depends on changes.
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { runtimeNames, type RuntimeName } from '../../protocol/plan.ts';
import type { RuntimeTrial } from './runtimeTrial.ts';

export interface RuntimeVerdict {
  readonly chosen: RuntimeName;
  /** Of each runtime that may be chosen. */
  readonly trials: readonly RuntimeTrial[];
}

export interface ChooseOptions {
  /** In order of preference where two are as fast. */
  readonly candidates: readonly RuntimeName[];
  /** What the verdict depends on: versions, processor, libraries. */
  readonly fingerprint: string;
  /** Absolute path of the file that keeps it. */
  readonly memoryFile: string;
  readonly tryRuntime: (runtime: RuntimeName) => Promise<RuntimeTrial>;
  readonly log: (line: string) => void;
  /** Tries again whatever is remembered. */
  readonly isAnew: boolean;
}

/** The verdict of the file where that still holds, else a new one, which it writes there. */
export async function chooseRuntime(options: ChooseOptions): Promise<RuntimeVerdict> {
  const remembered = options.isAnew ? null : read(options);
  if (remembered) return remembered;
  const trials: RuntimeTrial[] = [];
  for (const candidate of options.candidates) trials.push(await options.tryRuntime(candidate));
  const verdict = { chosen: fastest(trials), trials };
  write(options, verdict);
  return verdict;
}

/** `cpu`, plain JavaScript, works everywhere and is chosen only where nothing else does. */
function fastest(trials: readonly RuntimeTrial[]): RuntimeName {
  let best: RuntimeTrial | null = null;
  for (const trial of trials) {
    if (trial.stepMs !== null && trial.stepMs < (best?.stepMs ?? Infinity)) best = trial;
  }
  return best?.runtime ?? 'cpu';
}

const runtimeName = z.enum(runtimeNames);

const memorySchema = z.object({
  fingerprint: z.string(),
  chosen: runtimeName,
  trials: z.array(
    z.object({
      runtime: runtimeName,
      device: z.string(),
      fault: z.string().nullable(),
      stepMs: z.number().nullable(),
      gpus: z.array(z.string()),
    }),
  ),
});

function read({ fingerprint, memoryFile, log }: ChooseOptions): RuntimeVerdict | null {
  if (!fs.existsSync(memoryFile)) return null;
  try {
    const memory = memorySchema.parse(JSON.parse(fs.readFileSync(memoryFile, 'utf8')));
    if (memory.fingerprint !== fingerprint) return null;
    return { chosen: memory.chosen, trials: memory.trials };
  } catch (error) {
    log(`${memoryFile} is damaged and made anew: ${(error as Error).message}`);
    return null;
  }
}

function write({ fingerprint, memoryFile, log }: ChooseOptions, verdict: RuntimeVerdict): void {
  // Where nothing worked, the next run looks again.
  if (verdict.trials.every(({ fault }) => fault !== null)) return;
  try {
    fs.mkdirSync(path.dirname(memoryFile), { recursive: true });
    const partial = `${memoryFile}.${process.pid}`;
    fs.writeFileSync(partial, JSON.stringify({ fingerprint, ...verdict }, null, 2));
    fs.renameSync(partial, memoryFile);
  } catch (error) {
    log(`The choice of a runtime is not remembered: ${(error as Error).message}`);
  }
}
