// What a client's requests are answered, without sockets: who is asked what, and which error says what went wrong.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { evaluationPlanSchema } from '../../server/protocol/evaluationSchema.ts';
import { attackPlan } from '../attack/plans.ts';
import { compileInTurns } from '../../server/experiment/compileExperiment.ts';
import { describe, expect, it } from 'vitest';
import { CancellationTokenSource } from 'vscode-jsonrpc/node';
import { mostOutcomes, protocolVersion } from '../../server/protocol/messages.ts';
import type { RequestContext } from '../../server/rpc/requests.ts';
import { BadDatasetError } from '../../server/run/lookProcess.ts';
import { RunStateError } from '../../server/run/runStateError.ts';
import { BadCheckpointError } from '../../server/run/safetensors.ts';
import { StorageError } from '../../server/run/storageError.ts';
import { ask, greeted, hello, issue } from './scriptedRequests.ts';

const evaluation = evaluationPlanSchema.parse(
  attackPlan('pgd', { epsilon: 0.03, stepSize: 0.01, steps: 2, restarts: 1, samples: 10, batchSize: 5 }),
);

const prepared = `prepare ${JSON.stringify({ experimentText: 'x', versions: { kafscope: '1.2.3', node: process.versions.node }, cells: [] })} {"name":"p","file":"/x"}`;

describe('an experiment of many cells', () => {
  const text = `matrix: {seed: [${Array.from({ length: 50 }, (_, seed) => seed).join(', ')}]}`;
  const compile: RequestContext['services']['compile'] = (given, options, signal) =>
    compileInTurns(given, { ...options, homeFolder: '/' }, signal);

  it('is compiled while others are answered', async () => {
    const { request } = await greeted({ compile });
    const ended: string[] = [];
    const end = (what: string) => () => ended.push(what);
    const sweep = request('sweep/start', { text, file: null }).then(end('sweep'));
    const lists = Promise.all([1, 2, 3].map(() => request('run/list', {}).then(end('list'))));
    await Promise.all([sweep, lists]);
    expect(ended).toEqual(['list', 'list', 'list', 'sweep']);
  });

  it('is not compiled any further once it is cancelled, and nothing is started', async () => {
    const { request, source, done } = await greeted({ compile });
    const ended = Promise.all(
      ['sweep/start', 'run/start', 'dataset/look'].map((method) =>
        request(method, { text, file: null, ...(method === 'dataset/look' && { lookId: 'l' }) }).catch(
          (error: unknown) => (error as Error).message,
        ),
      ),
    );
    await nextTurn();
    source.cancel();
    expect(await ended).toEqual([
      'sweep/start was cancelled.',
      'run/start was cancelled.',
      'dataset/look was cancelled.',
    ]);
    expect(done).toEqual([]);
  });
});

/** Each with what is done about it. */
const known: [string, unknown, string[]][] = [
  ['run/list', {}, []],
  ['run/start', { text: 'x', file: null }, ['start p', 'start p']],
  ['sweep/start', { text: 'x', file: '/x' }, [prepared, 'rest /sweep', 'begin /sweep']],
  ['sweep/start', { text: 'x', file: '/x', on: 'slurm' }, [prepared, 'submit /sweep slurm']],
  ['sweep/places', {}, []],
  ['sweep/list', {}, []],
  ['sweep/ask', { sweepId: 's', ask: 'stop' }, ['ask s stop']],
  ['sweep/size', { sweepId: 's' }, []],
  ['experiment/estimate', { text: 'x', file: null }, []],
  ['run/pause', { runId: 'a' }, ['pause a']],
  ['run/resume', { runId: 'a', dataFolder: '/data' }, ['resume a /data']],
  ['run/stop', { runId: 'a' }, ['stop a']],
  ['run/delete', { runId: 'a' }, ['forget a', 'delete a']],
  ['run/snapshot', { runId: 'a' }, ['snapshot {"id":"a"}']],
  ['run/subscribe', { runId: 'a', cursor: 3 }, ['seek {"id":"a"} 3', 'add a 3']],
  [
    'run/series',
    { runIds: ['a', 'b'], tags: ['loss'], pixels: 9 },
    [
      `series [{"id":"a"},{"id":"b"}] ${JSON.stringify({ tags: ['loss'], from: null, to: null, pixels: 9, rowsPerBucket: null, smoothing: 0, means: false })}`,
    ],
  ],
  ['run/outcomes', { runIds: ['a', 'b'] }, ['outcomes [{"id":"a"},{"id":"b"}]']],
  ['run/subscribe', { runId: 'a', cursor: 9 }, ['seek {"id":"a"} 9', 'add a 5']],
  ['run/unsubscribe', { runId: 'a' }, ['remove a']],
  [
    'evaluation/start',
    { runId: 'a', checkpoint: 'c', evaluation, dataFolder: '/data' },
    [`evaluate a c ${JSON.stringify(evaluation)} /data`],
  ],
  ['checkpoint/inspect', { file: '/c' }, ['inspect /c']],
  ['checkpoint/compare', { file: '/c', other: '/d' }, ['compare /c /d']],
  [
    'checkpoint/kernel',
    { file: '/c', tensor: 'w', input: 2, page: 1 },
    ['kernel /c {"tensor":"w","input":2,"page":1}'],
  ],
  ['dataset/look', { text: 'x', file: null, lookId: 'l' }, ['look {"name":"shapes"}']],
  ['device/list', { isAnew: true }, ['listDevices {"isAnew":true}']],
];

const shown = [
  ...[
    'run/list',
    'run/snapshot',
    'sweep/list',
    'sweep/size',
    'experiment/estimate',
    'sweep/places',
    'run/series',
    'run/outcomes',
    'run/subscribe',
    'run/unsubscribe',
    'checkpoint/inspect',
    'checkpoint/compare',
    'checkpoint/kernel',
    'dataset/look',
  ],
];

describe('on a host that is not to compute', () => {
  const computes = ['run/start', 'sweep/start', 'evaluation/start', 'run/resume', 'device/list'];

  it.each(known)('%s %j computes or is answered', async (method, params, expected) => {
    const { request, failure, done } = await greeted({ whyNotHere: 'Not here.' });
    const isAtSlurm = (params as { readonly on?: string }).on === 'slurm';
    if (computes.includes(method) && !isAtSlurm) {
      expect(await failure(method, params)).toMatchObject({ message: 'Not here.' });
      expect(done).toEqual([]);
    } else {
      expect(await request(method, params)).toBeDefined();
      expect(done).toEqual(expected);
    }
  });

  it('a sweep goes on where it was given to, not here', async () => {
    const asked = { sweepId: 's', ask: 'go-on' };
    const here = await greeted({ whyNotHere: 'Not here.' });
    expect(await here.failure('sweep/ask', asked)).toMatchObject({ message: 'Not here.' });
    const there = await greeted({ whyNotHere: 'Not here.', isAtCluster: true });
    await there.request('sweep/ask', asked);
    expect(there.done).toEqual(['cluster s go-on']);
    const other = await greeted({ isAtWork: true, isAtCluster: true });
    await other.request('sweep/ask', asked);
    expect(other.done).toEqual(['ask s go-on']);
  });
});

describe('a request', () => {
  it.each(known)('%s %j is done and answered', async (method, params, expected) => {
    const { request, done } = await greeted();
    expect(await request(method, params)).toBeDefined();
    expect(done).toEqual(expected);
  });

  it.each(known)(
    '%s %j is done by a server that only shows runs if it changes and runs nothing',
    async (method, params, expected) => {
      const { request, failure, done } = await greeted({ isLooking: true });
      if (shown.includes(method)) {
        expect(await request(method, params)).toBeDefined();
        expect(done).toEqual(expected);
      } else {
        expect(await failure(method, params)).toMatchObject({
          code: 1003,
          data: { fault: 'request', isRetryable: false },
        });
        expect(done).toEqual([]);
      }
    },
  );

  it.each(known)('%s %j is refused before the greeting', async (method, params) => {
    const { failure, done } = ask();
    expect(await failure(method, params)).toMatchObject({
      code: -32600,
      message: `Send server/hello before ${method}.`,
      data: { fault: 'request', isRetryable: false },
    });
    expect(done).toEqual([]);
  });

  it('for series tells its client how far they are read', async () => {
    const { request, read } = await greeted();
    await request('run/series', { runIds: ['a'], tags: ['loss'], pixels: 1 });
    expect(read).toEqual([{ runId: 'a', doneBytes: 1, totalBytes: 2 }]);
  });

  it('for outcomes is for so many runs at once', async () => {
    const { failure, request, read } = await greeted();
    const runIds = (count: number) => Array.from({ length: count }, (_, index) => `run-${String(index)}`);
    for (const refused of [[], ['../a'], runIds(mostOutcomes + 1)])
      expect(await failure('run/outcomes', { runIds: refused })).toMatchObject({ code: -32602 });
    await request('run/outcomes', { runIds: runIds(mostOutcomes) });
    expect(read).toEqual([{ runId: 'run-0', doneBytes: 1, totalBytes: 2 }]);
  });

  it.each([
    [{ rowsPerBucket: 3 }],
    [{ rowsPerBucket: 0 }],
    [{ pixels: 0 }],
    [{ smoothing: 1 }],
    [{ tags: [] }],
    [{ runIds: ['../a'] }],
    [{ runIds: [] }],
  ])('for series with %j is refused', async (change) => {
    const { failure, done } = await greeted();
    const params = { runIds: ['a'], tags: ['loss'], pixels: 1, ...change };
    expect(await failure('run/series', params)).toMatchObject({ code: -32602 });
    expect(done).toEqual([]);
  });

  it('of several runs lets others have their turn between two', async () => {
    const { request, done } = await greeted();
    setImmediate(() => done.push('another'));
    await request('run/start', { text: 'x', file: null });
    expect(done).toEqual(['start p', 'another', 'start p']);
  });

  it('to follow a run does nothing where it was taken back, or asked again, before the run was read', async () => {
    const { request, done } = await greeted();
    const first = request('run/subscribe', { runId: 'a', cursor: 1 });
    const again = request('run/subscribe', { runId: 'a', cursor: 2 });
    const other = request('run/subscribe', { runId: 'b', cursor: 3 });
    await request('run/unsubscribe', { runId: 'b' });
    expect(await Promise.all([first, again, other])).toEqual([{}, {}, {}]);
    expect(done.filter((what) => !what.startsWith('seek'))).toEqual(['remove b', 'add a 2']);
  });

  it('needs no params where all may be absent, and none that are unknown', async () => {
    const { request, failure } = await greeted();
    expect(await request('run/list', undefined)).toEqual({ runs: [{ id: 'a' }] });
    expect(await failure('run/list', [1])).toMatchObject({
      code: -32602,
      data: { fault: 'request', isRetryable: false },
    });
  });

  it('that there is not is refused, greeted or not', async () => {
    for (const { failure } of [ask(), await greeted()])
      expect(await failure('run/fly', {})).toMatchObject({
        code: -32601,
        message: 'There is no request run/fly.',
        data: { fault: 'request', isRetryable: false },
      });
  });
});

describe('a look at a data set', () => {
  const params = { text: 'x', file: '/x.kaf.yaml', lookId: 'mine' };

  it('tells its client how far it is, by the name that it gave', async () => {
    const { request, told } = await greeted();
    await request('dataset/look', params);
    expect(told).toEqual([{ lookId: 'mine', what: 'reading', done: 1, total: null }]);
  });

  it.each([
    ['a server that only shows runs', { isLooking: true }, {}],
    ['a workspace that is not trusted', {}, { isRestricted: true }],
  ])('shows only data sets that are made, and reads nothing from the disk, for %s', async (_, options, more) => {
    const { failure, done } = await greeted({ ...options, dataset: 'folder' });
    expect(await failure('dataset/look', { ...params, ...more })).toMatchObject({
      code: 1003,
      message: expect.stringContaining('Trust the workspace') as string,
    });
    expect(done).toEqual([]);
    const made = await greeted(options);
    await made.request('dataset/look', { ...params, ...more });
    expect(made.done).toEqual(['look {"name":"shapes"}']);
  });

  it('reads a folder where it may', async () => {
    const { request, done } = await greeted({ dataset: 'folder' });
    await request('dataset/look', params);
    expect(done).toEqual(['look {"name":"folder"}']);
  });

  it('that finds the data wrong fails with the sentence', async () => {
    const { failure } = await greeted({ fails: new BadDatasetError('/a.png is damaged.') });
    expect(await failure('dataset/look', params)).toMatchObject({
      code: 1004,
      message: '/a.png is damaged.',
      data: { fault: 'request' },
    });
  });

  it('of an experiment with a mistake names it, as a start does', async () => {
    const wrong = issue('a', 'error');
    const { failure, done } = await greeted({ issues: [wrong] });
    expect(await failure('dataset/look', params)).toMatchObject({ code: 1001, data: { issues: [wrong] } });
    expect(done).toEqual([]);
  });
});

describe('a greeting', () => {
  it('tells who is here', async () => {
    const { handler, request } = ask();
    expect(handler.hasGreeted).toBe(false);
    expect(await request('server/hello', hello)).toEqual({
      protocolVersion,
      serverVersion: '1.2.3',
      runsFolder: '/runs',
      pid: process.pid,
    });
    expect(handler.hasGreeted).toBe(true);
  });

  it('of another version is none', async () => {
    const { handler, failure } = ask();
    expect(await failure('server/hello', { ...hello, protocolVersion: protocolVersion + 1 })).toMatchObject({
      code: 1005,
      data: { fault: 'request', isRetryable: false },
    });
    expect(handler.hasGreeted).toBe(false);
  });
});

describe('an end', () => {
  it('needs no greeting, and its answer goes first', async () => {
    for (const isLooking of [false, true]) {
      const { request, done } = ask({ isLooking });
      expect(await request('server/end', {})).toEqual({});
      expect(done).toEqual([]);
      await new Promise((resolve) => setImmediate(resolve));
      expect(done).toEqual(['end a client asked for it']);
    }
  });
});

describe('a bad experiment', () => {
  it('is told by its first error, with all of them, and starts nothing', async () => {
    const errors = [issue('a', 'error'), issue('b', 'error'), issue('c', 'error')];
    for (const [issues, more] of [
      [[issue('w', 'warning'), ...errors], ' (and 2 more)'],
      [errors.slice(0, 2), ' (and 1 more)'],
      [errors.slice(0, 1), ''],
    ] as const) {
      const { failure, done } = await greeted({ issues: [...issues] });
      const error = await failure('run/start', { text: 'x', file: null });
      expect(error).toMatchObject({
        code: 1001,
        message: `a: expected b, got c — Write b.${more}`,
        data: { fault: 'request', isRetryable: false },
      });
      expect(error?.data?.issues).toEqual(issues.filter(({ severity }) => severity === 'error'));
      expect(done).toEqual([]);
    }
  });

  it('is none for a warning', async () => {
    const { request } = await greeted({ issues: [issue('w', 'warning')] });
    expect(await request('run/start', { text: 'x', file: null })).toEqual({ runs: [] });
  });
});

describe('what goes wrong', () => {
  it.each([
    [new RunStateError('wrongState', 'It is at work.'), 1003, 'It is at work.', 'request', true],
    [new RunStateError('unknownRun', 'There is none.'), 1002, 'There is none.', 'request', false],
    [new RunStateError('unknownFile', 'No such file.'), 1004, 'No such file.', 'request', false],
    [new BadCheckpointError('It is none.'), 1004, 'It is none.', 'request', false],
    [new StorageError('The disk is full.'), 1007, 'The disk is full.', 'machine', true],
    [new Error('x is undefined'), 1099, 'Kafscope failed: x is undefined', 'kafscope', false],
    ['a text', 1099, 'Kafscope failed: a text', 'kafscope', false],
  ] as const)('is told by its code: %s', async (fails, code, message, fault, isRetryable) => {
    const { failure } = await greeted({ fails });
    const error = await failure('run/pause', { runId: 'a' });
    expect(error).toMatchObject({ code, message, data: { fault, isRetryable } });
  });
});

describe('what a client waits for', () => {
  it('is given up when it is cancelled, and when the client has gone', async () => {
    const { handler, source, request, signals } = await greeted();
    void request('checkpoint/inspect', { file: '/waits' });
    void handler.handle('checkpoint/inspect', { file: '/waits' }, new CancellationTokenSource().token);
    await request('checkpoint/inspect', { file: '/c' });
    const aborted = () => signals.map((signal) => signal.aborted);
    expect(aborted()).toEqual([false, false, false]);
    source.cancel();
    // What was answered is not given up afterwards.
    expect(aborted()).toEqual([true, false, false]);
    handler.abandon();
    expect(aborted()).toEqual([true, true, false]);
  });
});
