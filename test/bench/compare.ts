// Two engines in turn, piece by piece, so that others' work on the machine falls on both alike.
import { startEngine, type EngineProcess, type WorkTime } from './engineProcess.ts';
import { summarize, type Summary } from './statistics.ts';
import { describeSide, type Comparison } from './work.ts';

export interface SideResult {
  readonly what: string;
  readonly about: string;
  /** Milliseconds on the clock, and of processor time. */
  readonly clock: Summary;
  readonly cpu: Summary;
  readonly imagesPerSecond: number;
  readonly peakBytes: number;
  /** Of a whole attack. */
  readonly stands?: number;
}

export interface ComparisonResult {
  readonly name: string;
  readonly ours: SideResult;
  readonly theirs: SideResult;
  /** Theirs over ours, pair by pair. */
  readonly ratio: Summary;
  /** The same of processor time, which others' work on the machine touches less. */
  readonly cpuRatio: Summary;
  readonly peakRatio: number;
  readonly scaled: { readonly what: string; readonly oursMs: number; readonly theirsMs: number } | null;
}

export async function compare(
  { name, ours, theirs, scale }: Comparison,
  { rounds, python }: { readonly rounds: number; readonly python: string | undefined },
): Promise<ComparisonResult> {
  const first = await startEngine(ours, python);
  let second: EngineProcess | null = null;
  const pairs: [WorkTime, WorkTime][] = [];
  try {
    second = await startEngine(theirs, python);
    for (let round = 0; round < rounds; round++) {
      // Who goes first changes, too: what one leaves in the caches costs the other.
      if (round % 2 === 0) pairs.push([await first.work(), await second.work()]);
      else {
        const later = await second.work();
        pairs.push([await first.work(), later]);
      }
    }
  } finally {
    await first.close();
    await second?.close();
  }
  const mine = summarizeSide(
    describeSide(ours),
    first.about,
    ours.work.batchSize,
    pairs.map(([time]) => time),
  );
  const other = summarizeSide(
    describeSide(theirs),
    second.about,
    theirs.work.batchSize,
    pairs.map(([, time]) => time),
  );
  return {
    name,
    ours: mine,
    theirs: other,
    ratio: summarize(
      pairs.map(([own, rival]) => rival.ms / own.ms),
      3,
    ),
    cpuRatio: summarize(
      pairs.map(([own, rival]) => rival.cpuMs / own.cpuMs),
      3,
    ),
    peakRatio: Math.round((1000 * other.peakBytes) / mine.peakBytes) / 1000,
    scaled: scale && {
      what: scale.what,
      oursMs: Math.round(scale.factor * mine.clock.median),
      theirsMs: Math.round(scale.factor * other.clock.median),
    },
  };
}

function summarizeSide(what: string, about: string, nImages: number, times: readonly WorkTime[]): SideResult {
  const clock = summarize(times.map(({ ms }) => ms));
  const stands = times.at(-1)?.stands;
  return {
    what,
    about,
    clock,
    cpu: summarize(times.map(({ cpuMs }) => cpuMs)),
    imagesPerSecond: Math.round((nImages * 10_000) / clock.median) / 10,
    peakBytes: Math.max(...times.map(({ peakBytes }) => peakBytes)),
    ...(stands !== undefined && { stands }),
  };
}
