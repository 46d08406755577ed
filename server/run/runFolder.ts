// Where a run's files lie, how its folder is made, and which folders are runs.
import fs from 'node:fs';
import path from 'node:path';
import type { Plan } from '../protocol/plan.ts';
import type { RunSummary } from '../protocol/run.ts';
import { RunDatabase, storageError } from './runDatabase.ts';
import { makeRunId } from './runId.ts';

export interface NewRun {
  readonly plan: Plan;
  readonly description: string;
  readonly experimentText: string;
  readonly experimentFile: string | null;
  readonly versions: Readonly<Record<string, string>>;
}

export function databaseFile(runFolder: string): string {
  return path.join(runFolder, 'run.db');
}

export function checkpointsFolder(runFolder: string): string {
  return path.join(runFolder, 'checkpoints');
}

/** Makes the folder with its database, status `queued`. @throws StorageError */
export function createRun(runsFolder: string, run: NewRun, createdMs: number): RunSummary {
  const { plan } = run;
  try {
    fs.mkdirSync(runsFolder, { recursive: true });
    const id = makeRunId(plan.name, plan.seed, createdMs, (candidate) =>
      fs.existsSync(path.join(runsFolder, candidate)),
    );
    const folder = path.join(runsFolder, id);
    fs.mkdirSync(folder);
    fs.mkdirSync(checkpointsFolder(folder));
    const summary: RunSummary = {
      id,
      name: plan.name,
      seed: plan.seed,
      status: 'queued',
      message: null,
      createdMs,
      updatedMs: createdMs,
      step: 0,
      steps: plan.training.epochs * Math.ceil(plan.dataset.trainSamples / plan.training.batchSize),
      epoch: 0,
      epochs: plan.training.epochs,
      loss: null,
      cleanAccuracy: null,
      robustAccuracy: null,
      imagesPerSecond: null,
      device: null,
      memory: null,
      description: run.description,
      experimentFile: run.experimentFile,
      folder,
      checkpoints: [],
    };
    RunDatabase.create(
      databaseFile(folder),
      { id, createdMs, ...run },
      { summary, restStatus: null, evaluations: 0, pid: process.pid, heartbeatMs: createdMs },
    ).close();
    return summary;
  } catch (error) {
    throw storageError(runsFolder, error);
  }
}

/** Folders with a run.db, oldest first. Empty where the folder does not exist. */
export function listRunFolders(runsFolder: string): string[] {
  let entries;
  try {
    entries = fs.readdirSync(runsFolder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw storageError(runsFolder, error);
  }
  return entries
    .filter((entry) => entry.isDirectory() && fs.existsSync(databaseFile(path.join(runsFolder, entry.name))))
    .map((entry) => path.join(runsFolder, entry.name))
    .sort();
}
