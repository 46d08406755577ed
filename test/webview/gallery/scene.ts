// Plays the extension host in the gallery's page: defines `acquireVsCodeApi` and answers `ready` with what the scene in the
// page's address asks for.
import { attackPlan } from '../../attack/plans.ts';
import { completeEvaluation } from '../../../server/protocol/evaluationPlan.ts';
import type { CheckpointContents } from '../../../server/protocol/checkpoint.ts';
import { encode } from '../../../server/protocol/codec.ts';
import type {
  AttackedImagesIntent,
  Encoded,
  FromCheckpoint,
  OutcomesAnswer,
  OutcomesIntent,
  SeriesAnswer,
  SeriesIntent,
  ToCheckpoint,
  ToCompare,
  ToDashboard,
  ToDataset,
  ToLearningRate,
  ToMonitor,
} from '../../../server/protocol/panel.ts';
import type { RunOutcome } from '../../../server/protocol/outcomes.ts';
import type { RunSnapshot } from '../../../server/protocol/snapshot.ts';
import { comparedLongRun, comparedRuns, manyComparedRuns } from './compareData.ts';
import {
  makeCheckpoint,
  makeDifference,
  makeForeignCheckpoint,
  makeKernel,
  makeManyTensors,
  withDamage,
} from './checkpointData.ts';
import { makePicturesLook, makeTableLook } from './datasetData.ts';
import { aLongRun, answerSeries, longSnapshot } from './longData.ts';
import { makeNetworkSnapshot } from './networkData.ts';
import { isRunActivation } from './runActivations.ts';
import { makeOutcomes } from './outcomeData.ts';
import { makeSnapshot } from './runData.ts';
import { makeAttackedImages } from './runEvaluations.ts';
import { liveRows, manySnapshot } from './manyData.ts';
import { monitorAnswers, thesisFindings } from './monitorData.ts';
import { makeSweep } from './learningRateData.ts';
import { sweepAnswers } from './sweepData.ts';

type KernelIntent = Extract<FromCheckpoint, { type: 'askKernel' }>;

const query = new URLSearchParams(location.search);
const scene = query.get('scene') ?? 'busy';
const saved: unknown = JSON.parse(query.get('view') ?? '{}');
const posted: unknown[] = [];

Object.assign(globalThis, {
  posted,
  acquireVsCodeApi: () => ({
    postMessage: (message: { type: string }) => {
      posted.push(message);
      if (message.type === 'ready') for (const answer of answers()) post(answer);
      if (message.type === 'showAttackedImages') {
        const { evaluation, first } = message as unknown as AttackedImagesIntent;
        post({ type: 'attackedImages', evaluation, images: makeAttackedImages(first) });
      }
      if (message.type === 'askKernel') {
        post({ type: 'kernel', pictures: makeKernel(checkpointContents(), message as unknown as KernelIntent) });
      }
      if (message.type === 'askOutcomes') {
        const { asked, runIds } = message as unknown as OutcomesIntent;
        if (scene !== 'reading') inHost(() => outcomesOf(asked, runIds));
      }
      if (message.type === 'askSeries') inHost(() => answerTo(message as unknown as SeriesIntent));
    },
    getState: () => saved,
    setState: () => undefined,
  }),
  prepareLarge,
  openLarge,
  playLive,
  untilDrawn,
  reconnect,
});

/** Spent in the host's part, which in VS Code is another process. */
let hostMs = 0;
const later = window.setTimeout.bind(window);

/** Makes and sends a message in a task of its own, marked so that nobody takes its script for the panel's. */
function inHost(make: () => Parameters<typeof post>[0]): void {
  nOnTheWay++;
  later(() => {
    performance.mark('host');
    const started = performance.now();
    nOnTheWay--;
    post(make());
    hostMs += performance.now() - started;
  });
}

const hundredRuns = scene === 'hundreds' ? manyComparedRuns(250) : [];

/** Of which the panels may ask for series. */
const longRuns = new Map([
  ['kaf-vgg-1', scene === 'many' ? { ...aLongRun, nSteps: 10_000, normsEvery: 1 } : aLongRun],
  ...hundredRuns.map(({ run }, index) => [run.id, { ...comparedLongRun(index), nSteps: 10_000 }] as const),
  ...comparedRuns(scene).map(({ run }, index) => [run.id, comparedLongRun(index)] as const),
]);

/** What was answered, so that following a run costs the page no more than it does in VS Code. */
const answered = new Map<string, SeriesAnswer>();

function answerTo(intent: SeriesIntent): SeriesAnswer {
  const { key, asked, ...query } = intent;
  const id = JSON.stringify(query);
  const answer = answered.get(id) ?? answerSeries(longRuns, intent);
  answered.set(id, answer);
  return { ...answer, key, asked };
}

/** Messages on their way to the panel. */
let nOnTheWay = 0;
/** What is still to come of what the panel asked for: it redraws by these alone. */
const frames = new Set<number>();
const timers = new Set<unknown>();
const nextFrame = window.requestAnimationFrame.bind(window);
watchRequests();
addEventListener('message', () => {
  nOnTheWay--;
});

function watchRequests(): void {
  const { clearTimeout: forgetTimer, cancelAnimationFrame: forgetFrame } = window;
  window.requestAnimationFrame = (draw) => {
    const frame = nextFrame((time) => {
      frames.delete(frame);
      draw(time);
    });
    frames.add(frame);
    return frame;
  };
  window.cancelAnimationFrame = (frame) => {
    frames.delete(frame);
    forgetFrame(frame);
  };
  window.setTimeout = ((work: () => void, delayMs?: number) => {
    const timer = later(() => {
      timers.delete(timer);
      work();
    }, delayMs);
    timers.add(timer);
    return timer;
  }) as typeof window.setTimeout;
  window.clearTimeout = (timer) => {
    if (timer !== undefined) timers.delete(timer);
    forgetTimer(timer);
  };
}

/** Settles two frames after nothing is to come any more: the first may lay out anew, which asks for another. */
async function untilDrawn(): Promise<void> {
  for (let still = 0; still < 2;) {
    await new Promise((resolve) => nextFrame(resolve));
    still = nOnTheWay + frames.size + timers.size === 0 ? still + 1 : 0;
  }
}

function post(message: ToCompare | ToDashboard | ToMonitor | ToCheckpoint | ToDataset | ToLearningRate): void {
  nOnTheWay++;
  postMessage({ bytes: encode(message) } satisfies Encoded, '*');
}

/** Whether there is a server: in the scene `lost` once the page is told so. */
let isConnected = scene !== 'lost';

function reconnect(): void {
  isConnected = true;
  post({ type: 'connection', connection: { status: 'connected' } });
}

function outcomesOf(asked: number, runIds: readonly string[]): OutcomesAnswer {
  const failure = isConnected ? null : 'Kafscope’s server has ended.';
  const runs = scene === 'plain' ? runIds.map(unattacked) : makeOutcomes(runIds);
  return { type: 'outcomes', asked, runs: isConnected ? runs : null, failure };
}

function unattacked(runId: string): RunOutcome {
  return { runId, failure: null, evaluations: [], shift: null };
}

function compareAnswers(): ToCompare[] {
  const connected: ToCompare = { type: 'connection', connection: { status: 'connected' } };
  if (scene === 'failed') return [connected, { type: 'failed', message: 'None of these runs is there any more.' }];
  if (scene === 'empty' || scene === 'hundreds') return [connected];
  if (scene.startsWith('sweep-')) return [connected, ...sweepAnswers(scene, saved)];
  return [connected, { type: 'runs', runs: comparedRuns(scene), view: saved, isOwnView: true }];
}

function answers(): (ToCompare | ToDashboard | ToMonitor | ToCheckpoint | ToDataset | ToLearningRate)[] {
  const panel = query.get('panel');
  if (panel === 'compare') return compareAnswers();
  if (panel === 'monitor') return monitorAnswers(scene);
  if (panel === 'dataset') return [datasetAnswer()];
  if (panel === 'learning-rate') return [makeSweep(scene)];
  if (panel === 'checkpoint') {
    if (scene === 'failed')
      return [
        {
          type: 'failed',
          message:
            'The file ends after 12,288 of 2,312,448 bytes: it was cut off while it was written. Choose an earlier checkpoint of the run.',
        },
      ];
    return [
      { type: 'contents', contents: checkpointContents() },
      ...(isOfRun() ? [checkpointPlace()] : []),
      ...checkpointComparison(),
    ];
  }
  return dashboardAnswers();
}

/** Scenes in which the file is one of a run's. */
function isOfRun(): boolean {
  return scene === 'file' || scene.startsWith('compar');
}

function checkpointComparison(): ToCheckpoint[] {
  const name = 'epoch-4.safetensors';
  switch (scene) {
    case 'compared':
      return [
        {
          type: 'compared',
          comparison: { name, status: 'done', difference: makeDifference(checkpointContents(), name) },
        },
      ];
    case 'comparing':
      return [{ type: 'compared', comparison: { name, status: 'reading' } }];
    case 'compare-failed': {
      const message = `/home/ada/${name} is cut off: its tensors need 2312448 bytes, the file has 12288.`;
      return [{ type: 'compared', comparison: { name: `/home/ada/${name}`, status: 'failed', message } }];
    }
    default:
      return [];
  }
}

function checkpointPlace(): ToCheckpoint {
  const checkpoints = [2, 4, 6, 8, 10, 12].map((epoch) => ({
    file: `epoch-${String(epoch)}.safetensors`,
    step: 391 * epoch,
    epoch,
  }));
  return { type: 'place', place: { runId: 'kaf-vgg-1', checkpoints, canEvaluate: true, canResume: true } };
}

function checkpointContents(): CheckpointContents {
  switch (scene) {
    case 'damaged':
      return withDamage(makeCheckpoint({ nonFinite: 0 }), ['model/conv2.kernel']);
    case 'foreign':
      return makeForeignCheckpoint();
    case 'many':
      return makeManyTensors();
    default:
      return makeCheckpoint({
        nonFinite: scene === 'bad' ? 64 : 0,
        activation: isRunActivation(scene) ? scene : 'kaf',
      });
  }
}

/** One of each kind that the Robustness tab shows in its own way. */
const variousAttacks = [
  attackPlan('autoattack'),
  attackPlan('fab-t'),
  attackPlan('square'),
  attackPlan('pgd', { norm: 'l2', epsilon: 0.5, restarts: 2 }),
  attackPlan('pgd', { epsilons: [1, 2, 4, 12, 16].map((epsilon) => epsilon / 255), restarts: 2 }),
  attackPlan('pgd', { restarts: 2, protocol: 'thesis', loss: 'cross-entropy', keep: 100 }),
  attackPlan('apgd-ce', { seed: 1 }),
  completeEvaluation('smoothing', {}, { trainedEpsilon: null, testSamples: 1000 }),
  completeEvaluation('lipschitz', {}, { trainedEpsilon: null, testSamples: 1000 }),
  completeEvaluation('density', {}, { trainedEpsilon: null, testSamples: 1000 }),
  completeEvaluation('metzen', {}, { trainedEpsilon: null, testSamples: 1000 }),
];

function datasetAnswer(): ToDataset {
  switch (scene) {
    case 'pictures':
      return { type: 'look', look: makePicturesLook() };
    case 'table':
      return { type: 'look', look: makeTableLook() };
    case 'busy':
      return {
        type: 'progress',
        progress: { what: 'reading the pictures of /home/ada/pictures/of-many-things', done: 1200, total: 48_000 },
      };
    case 'failed':
      return {
        type: 'failed',
        message:
          '/home/ada/pictures/cat/7.png is damaged, or no PNG, JPEG or WebP (unexpected end). Replace it by a whole one, or remove it.',
      };
    case 'cancelled':
      return { type: 'cancelled' };
    case 'empty':
      return { type: 'progress', progress: null };
    default:
      throw new Error(`no scene ${scene}`);
  }
}

function dashboardAnswers(): ToDashboard[] {
  const connected: ToDashboard = { type: 'connection', connection: { status: 'connected' } };
  const shown = (snapshot: RunSnapshot): ToDashboard => ({ type: 'snapshot', snapshot });
  if (isRunActivation(scene)) {
    return [connected, shown(makeSnapshot({ steps: 3120, status: 'training', activation: scene }))];
  }
  switch (scene) {
    case 'busy':
      return [connected, shown(makeSnapshot({ steps: 3120, status: 'training' }))];
    case 'long':
      return [connected, shown(longSnapshot(aLongRun))];
    case 'reading': {
      const [runId, totalBytes] = ['kaf-vgg-1', 512_000_000];
      return [connected, { type: 'reading', runId, doneBytes: 0.43 * totalBytes, totalBytes }];
    }
    case 'evaluating':
      return [connected, shown(makeSnapshot({ steps: 4692, status: 'evaluating', restartsUnderWay: 3 }))];
    case 'finished':
      return [connected, shown(makeSnapshot({ steps: 4692, status: 'finished', evaluations: 3 }))];
    case 'declared':
      return [connected, shown(makeNetworkSnapshot())];
    case 'attack1':
    case 'attack2':
    case 'attack3':
    case 'attack4':
    case 'attack5':
    case 'attack6':
    case 'attack7':
    case 'attack8':
    case 'attack9':
    case 'attack10':
    case 'attack11': {
      // The last is the one that the tab opens with.
      const last = Number(scene.slice('attack'.length));
      const attacks = [...variousAttacks.slice(last), ...variousAttacks.slice(0, last)];
      return [connected, shown(makeSnapshot({ steps: 4692, status: 'finished', attacks }))];
    }
    case 'empty':
      return [connected, shown({ ...makeSnapshot({ steps: 0, status: 'preparing' }), shapes: [] })];
    case 'collapsed': {
      const snapshot = makeSnapshot({ steps: 1304, status: 'training', collapsesAt: 920, isAveraged: true });
      const { step, message } = snapshot.collapses[0]!;
      const health = [{ rule: 'collapsed' as const, step, evidence: message }];
      return [connected, shown({ ...snapshot, run: { ...snapshot.run, health } })];
    }
    case 'diverged': {
      const snapshot = makeSnapshot({ steps: 1304, status: 'diverged', divergesAt: 1300 });
      return [connected, shown({ ...snapshot, run: { ...snapshot.run, step: 1300 } })];
    }
    case 'unhealthy': {
      const snapshot = makeSnapshot({ steps: 900, status: 'training' });
      return [connected, shown({ ...snapshot, run: { ...snapshot.run, health: thesisFindings } })];
    }
    case 'disconnected':
      return [
        connected,
        shown(makeSnapshot({ steps: 3120, status: 'training' })),
        { type: 'connection', connection: { status: 'lost', message: 'the training server does not answer' } },
      ];
    case 'failed':
      return [connected, { type: 'failed', message: 'The records of run kaf-vgg-1 can’t be read: the disk is full.' }];
    case 'many':
    case 'millions':
      return [connected];
    default:
      throw new Error(`no scene ${scene}`);
  }
}

let prepared: ToDashboard | ToCompare | null = null;

/** Makes what is opened, and says how many milliseconds copying it into a message takes. */
function prepareLarge(): number {
  prepared =
    scene === 'hundreds'
      ? { type: 'runs', runs: hundredRuns, view: saved, isOwnView: true }
      : { type: 'snapshot', snapshot: scene === 'millions' ? longSnapshot(aLongRun) : manySnapshot() };
  const started = performance.now();
  structuredClone(prepared);
  return performance.now() - started;
}

/** Milliseconds from the message to the frame after the picture, and those of them that the host's part took. */
async function openLarge(): Promise<{ ms: number; hostMs: number }> {
  if (!prepared) throw new Error('not prepared');
  hostMs = 0;
  const started = performance.now();
  performance.mark('update');
  post(prepared);
  prepared = null;
  await pictureReady();
  return { ms: performance.now() - started, hostMs };
}

/** Three seconds, ten times in each: ten steps with their norms, or where runs are compared how ten of them stand, a message each. */
async function playLive(): Promise<void> {
  performance.mark('update');
  for (let tick = 0; tick < 30; tick++) {
    if (scene !== 'hundreds') inHost(() => ({ type: 'rows', runId: 'kaf-vgg-1', rows: liveRows(tick) }));
    for (const { run } of hundredRuns.slice(0, 10)) {
      inHost(() => ({ type: 'run', run: { ...run, status: 'training', step: run.step + tick }, isDeleted: false }));
    }
    await new Promise((resolve) => later(resolve, 100));
  }
}

/** Once every chart that the panel has is drawn with what it asked for. */
async function pictureReady(): Promise<void> {
  await untilDrawn();
  if (!deep(document, 'canvas')) throw new Error('nothing is drawn');
}

function deep(root: ParentNode, selector: string): Element | null {
  for (const element of root.querySelectorAll('*')) {
    if (element.matches(selector)) return element;
    const inner = element.shadowRoot && deep(element.shadowRoot, selector);
    if (inner) return inner;
  }
  return null;
}
