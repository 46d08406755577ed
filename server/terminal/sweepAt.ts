// The sweep that a command names: found, or written down from an experiment's file; and as it is once that can be told.
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { atOnce } from '../experiment/turns.ts';
import { LifeWatch } from '../run/lifeWatch.ts';
import { hasSameCells, storedCells } from '../sweep/storedCells.ts';
import { isSweep, makeSweep, sweepOf, sweepsFolder, writeCells } from '../sweep/sweepFolder.ts';
import type { CellSet } from '../sweep/sweepFolder.ts';
import { sweepState, type SweepState } from '../sweep/sweepState.ts';
import { compileFile } from './compileFile.ts';
import { UsageError, type Terminal } from './terminal.ts';

export interface SweepCommand {
  /** An experiment's file; a sweep's folder, or its name in the runs' folder. */
  readonly target: string;
  readonly overrides: Readonly<Record<string, unknown>>;
  /** Numbers as typed. */
  readonly atOnce: string | null;
  readonly threads: string | null;
  readonly isFailedAgain: boolean;
  /** Absolute. */
  readonly runsFolder: string;
}

export interface SweepContext {
  readonly terminal: Terminal;
  readonly trainerFile: string;
  readonly version: string;
}

/** Writes the cells down where they are new. Null where the experiment has a mistake, which is told. */
export function beginSweep(command: SweepCommand, { terminal, version }: SweepContext): string | null {
  const named = namedSweep(command);
  if (named !== undefined) return named;
  const known = sweepOf(command.runsFolder, path.resolve(command.target));
  const compiled = compileFile(command.target, command.overrides, terminal);
  if (!compiled) return null;
  const set: CellSet = {
    experimentText: compiled.text,
    versions: { kafscope: version, node: process.versions.node },
    cells: atOnce(storedCells(compiled.cells)),
  };
  const origin = { name: compiled.name, experimentFile: compiled.file, createdMs: Date.now() };
  const folder = known ?? makeSweep(command.runsFolder, origin);
  if (known === null || !hasSameCells(folder, set)) writeCells(folder, set);
  return folder;
}

/** By its folder, or by its name among the runs. */
export function namedSweep({ target, runsFolder }: Pick<SweepCommand, 'target' | 'runsFolder'>): string | undefined {
  return [path.resolve(target), path.join(sweepsFolder(runsFolder), target)].find(isSweep);
}

/** By its folder, its name, or its experiment's file. */
export function findSweep(command: Pick<SweepCommand, 'target' | 'runsFolder'>): string | null {
  return namedSweep(command) ?? sweepOf(command.runsFolder, path.resolve(command.target));
}

/** @throws UsageError where there is none */
export function existingSweep(command: Pick<SweepCommand, 'target' | 'runsFolder'>): string {
  const folder = findSweep(command);
  if (folder !== null) return folder;
  const { target, runsFolder } = command;
  throw new UsageError(`There is no sweep of ${target} in ${runsFolder}. Start it: kafscope sweep FILE.`);
}

const lookAgainMs = 1000;

/** Where only a heartbeat can tell whether it is at work elsewhere, waits until it has. */
export async function settled(folder: string, terminal: Terminal): Promise<SweepState> {
  const watch = new LifeWatch();
  for (let hasTold = false; ; await delay(lookAgainMs)) {
    const state = sweepState(folder, watch);
    const { log, summary } = state;
    if (summary.status === 'resting' || watch.judge(log.owner, log.sign) !== 'unheard') return state;
    if (!hasTold) {
      const seconds = String(Math.ceil(watch.remainingMs(log.sign) / 1000));
      terminal.error(
        `${summary.id} was at work elsewhere (${summary.place ?? 'unknown'}). Waiting up to ${seconds} s to see whether it still is …`,
      );
    }
    hasTold = true;
  }
}
