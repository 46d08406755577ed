// What each request does: checks its parameters, asks the runs, and turns errors into codes. Sockets are not known here. What takes
// long goes on in turns or in another process: others are answered meanwhile.
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ErrorCodes, ResponseError } from 'vscode-jsonrpc/node';
import type { CancellationToken } from 'vscode-jsonrpc/node';
import { scaledSchedule } from '../experiment/scaledSchedule.ts';
import { inTurns } from '../experiment/turns.ts';
import { writeExperiment } from '../experiment/writeExperiment.ts';
import type { Readings } from '../run/inspectProcess.ts';
import { BadCheckpointError } from '../run/safetensors.ts';
import { encode, EncodedValue } from '../protocol/codec.ts';
import type { DatasetLook, LookProgress } from '../protocol/datasetLook.ts';
import { datasetDeclaration } from '../protocol/datasets.ts';
import { requestErrorCodes } from '../protocol/errors.ts';
import type { RequestErrorData } from '../protocol/errors.ts';
import { issueText } from '../protocol/issue.ts';
import { firstEvaluation } from '../protocol/firstEvaluation.ts';
import { paramsSchemas, protocolVersion } from '../protocol/messages.ts';
import type { DeviceListResult, PlanSettings, RequestMethod, Requests } from '../protocol/messages.ts';
import type { OutcomesResult } from '../protocol/outcomes.ts';
import type { DatasetPlan, Plan } from '../protocol/plan.ts';
import { attackedImagesName, readAttackedImages } from '../run/attackedImages.ts';
import { checkpointsFolder, readOrigin } from '../run/runFolder.ts';
import { BadDatasetError } from '../run/lookProcess.ts';
import type { RunReader } from '../run/runReader.ts';
import type { RunSummary } from '../protocol/run.ts';
import { asksForSweep } from '../protocol/sweep.ts';
import type { SeriesProgress, SeriesResult } from '../protocol/series.ts';
import type { RunPlace } from '../run/series/runSeries.ts';
import type { SeriesReader } from '../run/series/seriesDesk.ts';
import { RunStateError } from '../run/runStateError.ts';
import type { RunSupervisor } from '../run/runSupervisor.ts';
import { StorageError } from '../run/storageError.ts';
import type { CompiledExperiment } from '../experiment/compileExperiment.ts';
import { storedCells } from '../sweep/storedCells.ts';
import type { BatchDesk } from '../sweep/batch/batchDesk.ts';
import type { SweepDesk } from '../sweep/sweepDesk.ts';
import type { Subscriptions } from './subscriptions.ts';

/** What a client is sent, perhaps encoded already. */
type Answer<Result> = Result | EncodedValue<Result>;

/** What the server needs of the layers that it does not know. */
export interface Services {
  compile(
    text: string,
    options: { file: string | null; overrides: Readonly<Record<string, unknown>> },
    signal: AbortSignal,
  ): Promise<Pick<CompiledExperiment, 'name' | 'cells' | 'plans' | 'issues'>>;
  describe(plan: Plan): string;
  settings(plan: Plan): PlanSettings;
  readonly checkpoints: {
    readonly [Name in keyof Readings]: (
      args: Readings[Name]['args'],
      signal?: AbortSignal,
    ) => Promise<Answer<Readings[Name]['answer']>>;
  };
  /** @throws BadDatasetError */
  look(plan: DatasetPlan, options: LookRequestOptions): Promise<Answer<DatasetLook>>;
  listDevices(options: { readonly isAnew: boolean }): Promise<DeviceListResult>;
  readonly series: SeriesReader;
}

/** How the client that asked hears how far its request is. */
export interface Teller {
  readonly look: (progress: LookProgress) => void;
  readonly series: (progress: SeriesProgress) => void;
}

interface LookRequestOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Omit<LookProgress, 'lookId'>) => void;
}

export interface RequestContext {
  readonly serverVersion: string;
  readonly runsFolder: string;
  readonly supervisor: RunSupervisor;
  readonly sweeps: SweepDesk;
  /** Those at a cluster's scheduler. */
  readonly batch: BatchDesk;
  readonly reader: RunReader;
  readonly services: Services;
  /** Whether runs are only shown. */
  readonly isLooking: boolean;
  /** Ends the server. */
  readonly end: (reason: string) => void;
}

type Params<Method extends RequestMethod> = (typeof paramsSchemas)[Method]['_output'];
type Handlers = {
  [Method in RequestMethod]: (
    params: Params<Method>,
    signal: AbortSignal,
  ) => Answer<Requests[Method]['result']> | Promise<Answer<Requests[Method]['result']>>;
};

/** What changes nothing and runs nothing. */
const lookingMethods: ReadonlySet<string> = new Set<RequestMethod>([
  ...(['server/hello', 'server/end', 'run/list', 'run/snapshot', 'run/subscribe', 'run/unsubscribe'] as const),
  ...([
    'run/settings',
    'run/series',
    'run/outcomes',
    'sweep/list',
    'sweep/places',
    'sweep/size',
    'experiment/estimate',
    'run/experiment',
    'evaluation/images',
    'checkpoint/inspect',
    'checkpoint/compare',
    'checkpoint/kernel',
    'dataset/look',
  ] as const),
]);

/** What computes on this host, a speed trial too; of sweeps it depends on where. */
const computingMethods: ReadonlySet<string> = new Set<RequestMethod>([
  ...(['run/start', 'run/resume', 'run/fork', 'evaluation/start', 'evaluation/resume'] as const),
  'device/list',
]);

/** Answers one client's requests; the first must be `server/hello` with our version. */
export class RequestHandler {
  readonly #handlers: Handlers;
  readonly #isLooking: boolean;
  readonly #batch: BatchDesk;
  readonly #atWork = new Set<AbortController>();
  #hasGreeted = false;

  constructor(context: RequestContext, subscriptions: Subscriptions, tell: Teller) {
    this.#handlers = makeHandlers(context, subscriptions, tell);
    this.#isLooking = context.isLooking;
    this.#batch = context.batch;
  }

  get hasGreeted(): boolean {
    return this.#hasGreeted;
  }

  /** The client has gone: what it still waits for is not wanted any more. */
  abandon(): void {
    for (const controller of this.#atWork) controller.abort();
  }

  /** @param token says when the answer is not wanted any more @throws ResponseError always with `RequestErrorData`. */
  async handle(method: string, params: unknown, token: CancellationToken): Promise<unknown> {
    if (!isMethod(method)) {
      throw failure(ErrorCodes.MethodNotFound, `There is no request ${method}.`, {
        fault: 'request',
        isRetryable: false,
      });
    }
    if (!this.#hasGreeted && method !== 'server/hello' && method !== 'server/end') {
      throw failure(ErrorCodes.InvalidRequest, `Send server/hello before ${method}.`, {
        fault: 'request',
        isRetryable: false,
      });
    }
    if (this.#isLooking && !lookingMethods.has(method)) {
      throw failure(
        requestErrorCodes.wrongState,
        `This server only shows runs, as its folder was not trusted when it was started. Trust the workspace, then restart the server.`,
        { fault: 'request', isRetryable: false },
      );
    }
    const parsed = paramsSchemas[method].safeParse(params ?? {});
    if (!parsed.success) {
      const problems = parsed.error.issues.map((issue) => `${[method, ...issue.path].join('.')}: ${issue.message}`);
      throw failure(ErrorCodes.InvalidParams, problems.join('; '), { fault: 'request', isRetryable: false });
    }
    try {
      if (computingMethods.has(method)) requireComputing(this.#batch);
      const handler = this.#handlers[method] as (params: unknown, signal: AbortSignal) => unknown;
      const result = await this.#cancellable(token, (signal) => handler(parsed.data, signal));
      if (method === 'server/hello') this.#hasGreeted = true;
      return result;
    } catch (error) {
      if (token.isCancellationRequested) throw cancelled(method);
      throw asResponseError(error);
    }
  }

  /** What is cancelled before its turn comes is not begun. */
  async #cancellable(token: CancellationToken, work: (signal: AbortSignal) => unknown): Promise<unknown> {
    const controller = new AbortController();
    const listener = token.onCancellationRequested(() => {
      controller.abort();
    });
    this.#atWork.add(controller);
    try {
      if (token.isCancellationRequested) controller.abort();
      controller.signal.throwIfAborted();
      return await work(controller.signal);
    } finally {
      this.#atWork.delete(controller);
      listener.dispose();
    }
  }
}

function makeHandlers(context: RequestContext, subscriptions: Subscriptions, tell: Teller): Handlers {
  const { supervisor, sweeps, batch, reader, services, runsFolder, serverVersion, end } = context;
  /** Of each run the last request to follow it that was not taken back. */
  const following = new Map<string, symbol>();
  return {
    'server/hello': (params) => {
      if (params.protocolVersion !== protocolVersion) {
        throw failure(
          requestErrorCodes.versionMismatch,
          `${params.client} speaks protocol ${String(params.protocolVersion)}, this server (Kafscope ${serverVersion}, process ${String(process.pid)}) speaks ${String(protocolVersion)}. Update both to the same Kafscope, then end the server.`,
          { fault: 'request', isRetryable: false },
        );
      }
      return { protocolVersion, serverVersion, runsFolder, pid: process.pid };
    },
    'server/end': () => {
      // The answer goes first.
      setImmediate(() => {
        end('a client asked for it');
      });
      return {};
    },
    'run/list': async () => ({ runs: await supervisor.listInTurns() }),
    'run/start': async ({ text, file, overrides }, signal) => {
      const { plans } = await compiledOf(services, text, { file, overrides }, signal);
      const versions = { kafscope: serverVersion, node: process.versions.node };
      const runs: RunSummary[] = [];
      for (const plan of plans) {
        if (runs.length > 0) await nextTurn();
        const description = services.describe(plan);
        runs.push(supervisor.start({ plan, description, experimentText: text, experimentFile: file, versions }));
      }
      return { runs };
    },
    'sweep/start': async ({ text, file, overrides, on }, signal) => {
      const { name, cells } = await compiledOf(services, text, { file, overrides }, signal);
      const versions = { kafscope: serverVersion, node: process.versions.node };
      if (on === 'here') requireComputing(batch);
      const stored = await inTurns(storedCells(cells), signal);
      const folder = sweeps.prepare({ experimentText: text, versions, cells: stored }, { name, file });
      if (on !== 'here') return batch.submit(folder, on);
      await batch.requireRest(folder);
      return sweeps.begin(folder);
    },
    'sweep/places': () => ({ places: batch.places() }),
    'sweep/list': async () => ({ sweeps: (await sweeps.list()).map((sweep) => batch.over(sweep)) }),
    'sweep/ask': async ({ sweepId, ask }) => {
      const answered = (await sweeps.isAtWork(sweepId)) ? null : await batch.ask(sweepId, ask);
      if (answered) return answered;
      if (ask === 'go-on' || ask === 'again') requireComputing(batch);
      return sweeps.ask(sweepId, ask);
    },
    'experiment/estimate': async ({ text, file, overrides }, signal) => {
      const { cells } = await services.compile(text, { file, overrides }, signal);
      if (cells.length === 0) return null;
      const stored = await inTurns(storedCells(cells), signal);
      return sweeps.estimate(stored, await supervisor.listInTurns(), asksForSweep(text) ? { file } : 'one at a time');
    },
    'sweep/size': async ({ sweepId }) => ({ bytes: await sweeps.size(sweepId) }),
    'run/pause': ({ runId }) => supervisor.pause(runId),
    'run/resume': ({ runId, dataFolder }) => supervisor.resume(runId, dataFolder),
    'run/stop': ({ runId }) => supervisor.stop(runId),
    'run/delete': ({ runId }) => {
      reader.forget(runId);
      supervisor.delete(runId);
      return {};
    },
    'run/mark': ({ runId, mark }) => supervisor.mark(runId, mark),
    'run/fork': ({ runId, checkpoint }) => supervisor.fork(runId, checkpoint),
    'run/experiment': ({ runId, factor }) => {
      const { plan } = readOrigin(supervisor.get(runId).folder);
      const { schedule } = plan.training;
      const training = { ...plan.training, schedule: factor === 1 ? schedule : scaledSchedule(schedule, factor) };
      const text = writeExperiment({ ...plan, training });
      return { name: plan.name, text, evaluation: firstEvaluation(plan) };
    },
    'run/snapshot': async ({ runId }, signal) =>
      new EncodedValue(encode(await reader.snapshot(() => supervisor.get(runId), { signal, onProgress: tell.series }))),
    'run/settings': async ({ runIds }, signal) => {
      const settings: (PlanSettings | null)[] = [];
      for (const runId of runIds) {
        settings.push(settingsOf(supervisor.get(runId), services));
        await nextTurn();
        signal.throwIfAborted();
      }
      return { settings };
    },
    'run/series': async ({ runIds, ...query }, signal) => {
      const places = runIds.map((runId) => placeOf(supervisor.get(runId)));
      return new EncodedValue<SeriesResult>(
        await services.series.read(places, query, { signal, onProgress: tell.series }),
      );
    },
    'run/outcomes': async ({ runIds }, signal) => {
      const places = runIds.map((runId) => placeOf(supervisor.get(runId)));
      return new EncodedValue<OutcomesResult>(
        await services.series.outcomes(places, { signal, onProgress: tell.series }),
      );
    },
    'run/subscribe': async ({ runId, cursor }, signal) => {
      const own = Symbol(runId);
      following.set(runId, own);
      await reader.seek(() => supervisor.get(runId), cursor, signal);
      if (following.get(runId) !== own) return {};
      subscriptions.add(runId, Math.min(cursor, reader.lastSeq(supervisor.get(runId))));
      return {};
    },
    'run/unsubscribe': ({ runId }) => {
      following.delete(runId);
      subscriptions.remove(runId);
      return {};
    },
    'evaluation/start': ({ runId, checkpoint, evaluation, dataFolder }) =>
      supervisor.evaluate(runId, checkpoint, evaluation, dataFolder),
    'evaluation/resume': ({ runId, evaluation, dataFolder }) =>
      supervisor.resumeEvaluation(runId, evaluation, dataFolder),
    'evaluation/images': ({ runId, evaluation, step, first, count }) => {
      const { folder } = supervisor.get(runId);
      const file = path.join(checkpointsFolder(folder), attackedImagesName(step, evaluation));
      return readAttackedImages(file, { first, count });
    },
    'checkpoint/inspect': ({ file }, signal) => services.checkpoints.inspect([file], signal),
    'checkpoint/compare': ({ file, other }, signal) => services.checkpoints.compare([file, other], signal),
    'checkpoint/kernel': ({ file, ...question }, signal) => services.checkpoints.kernel([file, question], signal),
    'dataset/look': async ({ text, file, lookId, isRestricted }, signal) => {
      const { plans } = await compiledOf(services, text, { file, overrides: {} }, signal);
      const { dataset } = plans[0]!;
      if ((isRestricted || context.isLooking) && datasetDeclaration(dataset.name).path !== null) {
        throw failure(
          requestErrorCodes.wrongState,
          'In a workspace that is not trusted only data sets that Kafscope makes itself are shown, and nothing is read from the disk. Trust the workspace, then look again.',
          { fault: 'request', isRetryable: false },
        );
      }
      const onProgress = (progress: Omit<LookProgress, 'lookId'>) => {
        tell.look({ lookId, ...progress });
      };
      return services.look(dataset, { signal, onProgress });
    },
    'device/list': (options) => services.listDevices(options),
  };
}

function placeOf({ id, folder }: RunSummary): RunPlace {
  return { id, folder };
}

/** @throws RunStateError on a host that is not to compute */
function requireComputing({ whyNotHere }: Pick<BatchDesk, 'whyNotHere'>): void {
  if (whyNotHere !== null) throw new RunStateError('wrongState', whyNotHere);
}

/** A damaged run is compared by what is known of it. */
function settingsOf({ folder }: RunSummary, services: Services): PlanSettings | null {
  try {
    return services.settings(readOrigin(folder).plan);
  } catch (error) {
    if (error instanceof StorageError) return null;
    throw error;
  }
}

/** @throws ResponseError `badExperiment`; the signal's reason */
async function compiledOf(
  services: Services,
  text: string,
  options: Parameters<Services['compile']>[1],
  signal: AbortSignal,
) {
  const compiled = await services.compile(text, options, signal);
  const errors = compiled.issues.filter((issue) => issue.severity === 'error');
  const first = errors[0];
  if (!first) return compiled;
  const more = errors.length > 1 ? ` (and ${String(errors.length - 1)} more)` : '';
  const data: RequestErrorData = { fault: 'request', isRetryable: false, issues: errors };
  throw failure(requestErrorCodes.badExperiment, `${issueText(first)} — ${first.remedy}${more}`, data);
}

function isMethod(method: string): method is RequestMethod {
  return Object.hasOwn(paramsSchemas, method);
}

function failure(code: number, message: string, data: RequestErrorData): ResponseError<RequestErrorData> {
  return new ResponseError(code, message, data);
}

function cancelled(method: RequestMethod): ResponseError<RequestErrorData> {
  return failure(requestErrorCodes.cancelled, `${method} was cancelled.`, { fault: 'request', isRetryable: false });
}

function asResponseError(error: unknown): ResponseError<RequestErrorData> {
  if (error instanceof ResponseError) return error as ResponseError<RequestErrorData>;
  if (error instanceof RunStateError) {
    return failure(requestErrorCodes[error.kind], error.message, {
      fault: 'request',
      isRetryable: error.kind === 'wrongState',
    });
  }
  if (error instanceof BadCheckpointError || error instanceof BadDatasetError) {
    return failure(requestErrorCodes.unknownFile, error.message, { fault: 'request', isRetryable: false });
  }
  if (error instanceof StorageError) {
    return failure(requestErrorCodes.storageFailed, error.message, { fault: 'machine', isRetryable: true });
  }
  const message = error instanceof Error ? error.message : String(error);
  return failure(requestErrorCodes.internal, `Kafscope failed: ${message}`, { fault: 'kafscope', isRetryable: false });
}
