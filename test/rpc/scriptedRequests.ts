// A handler of requests whose services note what they are asked, without sockets.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CancellationTokenSource } from 'vscode-jsonrpc/node';
import type { ResponseError } from 'vscode-jsonrpc/node';
import type { RequestErrorData } from '../../server/protocol/errors.ts';
import type { ExperimentIssue } from '../../server/protocol/issue.ts';
import type { LookProgress } from '../../server/protocol/datasetLook.ts';
import { protocolVersion } from '../../server/protocol/messages.ts';
import { RequestHandler } from '../../server/rpc/requests.ts';
import type { RequestContext } from '../../server/rpc/requests.ts';
import type { Subscriptions } from '../../server/rpc/subscriptions.ts';
import type { SeriesProgress } from '../../server/protocol/series.ts';

const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } };
export const issue = (name: string, severity: ExperimentIssue['severity']): ExperimentIssue => ({
  ...{ path: name, range, severity, expected: 'b', got: 'c', remedy: 'Write b.' },
});

export function ask({
  isLooking = false,
  dataset = 'shapes',
  issues = [] as ExperimentIssue[],
  fails = null as unknown,
  compile = null as RequestContext['services']['compile'] | null,
  whyNotHere = null as string | null,
  isAtWork = false,
  isAtCluster = false,
} = {}) {
  const done: string[] = [];
  const told: LookProgress[] = [];
  const read: SeriesProgress[] = [];
  const signals: AbortSignal[] = [];
  const note =
    (what: string) =>
    (...of: unknown[]) => {
      done.push(
        [what, ...of.map((each) => (typeof each === 'object' ? JSON.stringify(each) : String(each)))].join(' '),
      );
      if (fails !== null) throw fails as Error;
      return { what };
    };
  const plan = { name: 'p', dataset: { name: dataset } };
  const context = {
    serverVersion: '1.2.3',
    runsFolder: '/runs',
    supervisor: {
      listInTurns: () => Promise.resolve([{ id: 'a' }]),
      get: (id: string) => ({ id }),
      start: ({ plan }: { plan: { name: string } }) => note('start')(plan.name),
      ...{ pause: note('pause'), resume: note('resume'), stop: note('stop'), delete: note('delete') },
      evaluate: note('evaluate'),
    },
    reader: {
      forget: note('forget'),
      snapshot: (current: () => unknown) => note('snapshot')(current()),
      seek: async (current: () => unknown, cursor: number) => {
        note('seek')(current(), cursor);
        await nextTurn();
      },
      lastSeq: () => 5,
    },
    services: {
      compile:
        compile ??
        (() => Promise.resolve({ name: 'p', cells: [], plans: issues.length > 0 ? [] : [plan, plan], issues })),
      describe: () => 'described',
      checkpoints: {
        inspect: ([file]: [string], signal: AbortSignal) => {
          signals.push(signal);
          return file === '/waits' ? new Promise<never>(() => {}) : note('inspect')(file);
        },
        compare: (files: string[]) => note('compare')(...files),
        kernel: ([file, question]: [string, object]) => note('kernel')(file, question),
      },
      look: (plan: unknown, { onProgress }: { onProgress: (progress: object) => void }) => {
        onProgress({ what: 'reading', done: 1, total: null });
        return note('look')(plan);
      },
      listDevices: note('listDevices'),
      series: {
        read: (runs: unknown, query: unknown, { onProgress }: { onProgress: (progress: object) => void }) => {
          onProgress({ runId: 'a', doneBytes: 1, totalBytes: 2 });
          note('series')(runs, query);
          return Promise.resolve(Uint8Array.of(1));
        },
        outcomes: (runs: readonly { id: string }[], { onProgress }: { onProgress: (progress: object) => void }) => {
          onProgress({ runId: runs[0]!.id, doneBytes: 1, totalBytes: 2 });
          note('outcomes')(runs);
          return Promise.resolve(Uint8Array.of(1));
        },
      },
    },
    sweeps: {
      prepare: (...of: unknown[]) => {
        note('prepare')(...of);
        return '/sweep';
      },
      begin: note('begin'),
      isAtWork: () => isAtWork,
      list: () => [],
      ask: note('ask'),
      size: (id: string) => Promise.resolve(id.length),
      estimate: () => Promise.resolve(null),
    },
    batch: {
      whyNotHere,
      places: () => [],
      submit: note('submit'),
      requireRest: note('rest'),
      over: (sweep: unknown) => sweep,
      ask: (id: string, asked: string) => {
        if (isAtCluster) note('cluster')(id, asked);
        return Promise.resolve(isAtCluster ? { id } : null);
      },
    },
    isLooking,
    end: note('end'),
  } as unknown as RequestContext;
  const subscriptions = { add: note('add'), remove: note('remove') } as unknown as Subscriptions;
  const handler = new RequestHandler(context, subscriptions, {
    look: (progress) => told.push(progress),
    series: (progress) => read.push(progress),
  });
  const source = new CancellationTokenSource();
  const request = (method: string, params: unknown) => handler.handle(method, params, source.token);
  const failure = (method: string, params: unknown) =>
    request(method, params).then(
      () => null,
      (error: unknown) => error as ResponseError<RequestErrorData>,
    );
  return { handler, source, request, failure, done, told, read, signals };
}

export const hello = { protocolVersion, client: 'test' };

export async function greeted(options: Parameters<typeof ask>[0] = {}) {
  const asked = ask(options);
  await asked.request('server/hello', hello);
  return asked;
}
