// Where a run's files lie, how its folder is made and deleted, and which folders are runs. A run is its folder: its id is the
// folder's name, so a copy or a renamed folder is a run of its own.
import fs from 'node:fs';
import path from 'node:path';
import { trainingSamples } from '../protocol/plan.ts';
import type { RunSummary } from '../protocol/run.ts';
import { logName, LogWriter, newestLog, readBytes, syncFolder } from './logFile.ts';
import { oldRunFile, OldRun } from './oldRun.ts';
import { thisProcess } from './owner.ts';
import { runIds } from './runId.ts';
import { originFormat, originSchema, storedVersion } from './stored.ts';
import type { RunOrigin, RunProgress } from './stored.ts';
import { StorageError, storageError } from './storageError.ts';

export type NewRun = Omit<RunOrigin, 'id' | 'createdMs'>;

export function originFile(runFolder: string): string {
  return path.join(runFolder, 'origin.json');
}

function temporaryOrigin(runFolder: string): string {
  return path.join(runFolder, 'origin.json.tmp');
}

export function checkpointsFolder(runFolder: string): string {
  return path.join(runFolder, 'checkpoints');
}

/** Makes the folder, status `waiting`; nothing where that fails. @throws StorageError */
export function createRun(runsFolder: string, run: NewRun, createdMs: number): RunSummary {
  try {
    fs.mkdirSync(runsFolder, { recursive: true });
    const id = makeFolder(runsFolder, runIds(run.plan.name, run.plan.seed, createdMs));
    const folder = path.join(runsFolder, id);
    const origin: RunOrigin = { id, createdMs, ...run };
    try {
      fs.mkdirSync(checkpointsFolder(folder));
      writeOrigin(folder, origin);
    } catch (error) {
      unmake(folder);
      throw error;
    }
    return summaryOf(folder, origin, -1, startingProgress(origin));
  } catch (error) {
    const { message } = storageError(runsFolder, error, 'try again');
    throw new StorageError(`The run was not made. ${message}`, { cause: error });
  }
}

/** Takes back what `createRun` has made so far, without a file handle: that there is none may be why. */
function unmake(folder: string): void {
  for (const [remove, place] of [
    [fs.unlinkSync, temporaryOrigin(folder)],
    [fs.unlinkSync, originFile(folder)],
    [fs.rmdirSync, checkpointsFolder(folder)],
    [fs.rmdirSync, folder],
  ] as const) {
    try {
      remove(place);
    } catch {
      // It was not made, or the disk refuses: what is told is why the run could not be made.
    }
  }
}

/** The first name that nobody else takes, also in the same moment on another host. */
function makeFolder(runsFolder: string, ids: Iterable<string>): string {
  for (const id of ids) {
    try {
      fs.mkdirSync(path.join(runsFolder, id));
      return id;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new StorageError(`No name is left for a run in ${runsFolder}.`);
}

/** Appears whole: a folder without it is no run. */
function writeOrigin(folder: string, origin: RunOrigin): void {
  const temporary = temporaryOrigin(folder);
  const descriptor = fs.openSync(temporary, 'wx', 0o644);
  try {
    fs.writeFileSync(
      descriptor,
      `${JSON.stringify({ format: originFormat, version: storedVersion, ...origin }, null, 1)}\n`,
    );
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
  fs.renameSync(temporary, originFile(folder));
  syncFolder(folder);
}

const maxOriginBytes = 16 * 1024 * 1024;

/** @throws StorageError where it is missing, damaged or of a newer Kafscope. */
export function readOrigin(runFolder: string): RunOrigin {
  const file = originFile(runFolder);
  if (!fs.existsSync(file) && fs.existsSync(oldRunFile(runFolder))) {
    const old = new OldRun(runFolder);
    try {
      return old.origin();
    } finally {
      old.close();
    }
  }
  let json: unknown;
  try {
    json = JSON.parse(readBytes(file, 0, maxOriginBytes).toString('utf8'));
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw new StorageError(`${file} is damaged: it is not JSON (${(error as Error).message}).`, { cause: error });
  }
  const { format, version } = json as { format?: unknown; version?: unknown };
  if (format !== originFormat) throw new StorageError(`${file} is not of a run of Kafscope.`);
  if (typeof version === 'number' && version > storedVersion) {
    throw new StorageError(`${file} was written by a newer Kafscope (version ${String(version)}). Update Kafscope.`);
  }
  const parsed = originSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new StorageError(
    `${file} is damaged: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it makes no sense'}.`,
  );
}

/** Before the first row. */
export function startingProgress({ plan, createdMs }: Pick<RunOrigin, 'plan' | 'createdMs'>): RunProgress {
  return {
    status: 'waiting',
    message: null,
    updatedMs: createdMs,
    workedMs: 0,
    step: 0,
    steps: plan.training.epochs * Math.ceil((trainingSamples(plan.dataset) ?? 0) / plan.training.batchSize),
    epoch: 0,
    epochs: plan.training.epochs,
    loss: null,
    cleanAccuracy: null,
    robustAccuracy: null,
    imagesPerSecond: null,
    device: null,
    memory: null,
    checkpoints: [],
  };
}

export function summaryOf(folder: string, origin: RunOrigin, incarnation: number, progress: RunProgress): RunSummary {
  const { plan, createdMs, description, experimentFile } = origin;
  const id = path.basename(folder);
  return {
    id,
    name: plan.name,
    seed: plan.seed,
    createdMs,
    description,
    experimentFile,
    folder,
    incarnation,
    revision: 0,
    ...progress,
  };
}

/** What of a summary is stored with the rows. */
export function progressOf(summary: RunSummary): RunProgress {
  const { id, name, seed, createdMs, description, experimentFile, folder, incarnation, revision, mark, ...progress } =
    summary;
  void [id, name, seed, createdMs, description, experimentFile, folder, incarnation, revision, mark];
  return progress;
}

export function isRunFolder(folder: string): boolean {
  return fs.existsSync(originFile(folder)) || fs.existsSync(oldRunFile(folder));
}

/** Folders of runs, and links to such, oldest first. Empty where the folder does not exist. @throws StorageError */
export function listRunFolders(runsFolder: string): string[] {
  let names;
  try {
    names = fs.readdirSync(runsFolder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw storageError(runsFolder, error);
  }
  return names
    .map((name) => path.join(runsFolder, name))
    .filter(isRunFolder)
    .sort();
}

/** What we make in a run's folder. Anything else there is someone else's. */
const ownFiles = [
  /^origin\.json(\.tmp)?$/,
  /^run\.db(-wal|-shm|-journal)?$/,
  /^(log|beat)-\d+$/,
  /^events\.out\.tfevents\./,
  /^mark\.json(\.\d+\.tmp)?$/,
];
const ownCheckpoints = /^step-\d+(\.attack-\d+)?\.safetensors(\..*tmp|\.tmp)?$/;

/**
 * Deletes the run: what we made in its folder, then the folder where nothing else is in it. Of a linked run only the link goes.
 * @throws SupersededError where work on it begins in the same moment; StorageError where it can't be deleted.
 */
export function deleteRun(runFolder: string, nowMs: number): void {
  try {
    if (fs.lstatSync(runFolder).isSymbolicLink()) {
      fs.unlinkSync(runFolder);
      return;
    }
    claim(runFolder, nowMs);
    const names = fs.readdirSync(runFolder);
    // Last what makes it a run: a deletion that is cut off can be seen, and done again.
    const own = names.filter((name) => ownFiles.some((pattern) => pattern.test(name)));
    const makesIt = (name: string) =>
      Number(name === 'origin.json' || name === 'run.db') + Number(logName.test(name)) * 0.5;
    const checkpoints = checkpointsFolder(runFolder);
    if (fs.lstatSync(checkpoints, { throwIfNoEntry: false })?.isDirectory()) {
      for (const name of fs.readdirSync(checkpoints))
        if (ownCheckpoints.test(name)) fs.rmSync(path.join(checkpoints, name), { force: true });
      removeIfEmpty(checkpoints);
    }
    for (const name of own.toSorted((a, b) => makesIt(a) - makesIt(b))) {
      fs.rmSync(path.join(runFolder, name), { force: true, maxRetries: 3 });
    }
    removeIfEmpty(runFolder);
  } catch (error) {
    throw storageError(runFolder, error);
  }
}

/** Whoever would begin work on the run finds a newer log. */
function claim(runFolder: string, nowMs: number): void {
  new LogWriter(runFolder, {
    format: 'kafscope log',
    version: storedVersion,
    number: newestLog(runFolder) + 1,
    owner: thisProcess(),
    work: 'note',
    startedMs: nowMs,
    firstSeq: 1,
    voids: null,
    restStatus: 'stopped',
  }).close();
}

function removeIfEmpty(folder: string): void {
  try {
    fs.rmdirSync(folder);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
