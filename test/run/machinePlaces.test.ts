// Runs on the places of a machine: a GPU each, the processor one, and who waits for whom. Its children are scripted.
import { describe, expect, it, vi } from 'vitest';
import type { DeviceListResult, DeviceReport } from '../../server/protocol/messages.ts';
import type { Plan, RuntimeName } from '../../server/protocol/plan.ts';
import { placesFor, placesOf } from '../../server/run/machinePlaces.ts';
import { RunQueue } from '../../server/run/runQueue.ts';
import { TakenGpus } from '../../server/run/takenGpus.ts';
import { showOneGpu } from '../../server/tensor/python/visibleGpus.ts';
import { children, forkFakeChildren, newRun, supervise } from './fakeChildren.ts';
import { createScriptedRun } from './scriptedRun.ts';
import { scriptedPlan } from './scriptedTrainer.ts';

vi.mock('node:child_process', async (original) => ({ ...(await original<object>()), fork: vi.fn() }));

forkFakeChildren();

function report(runtime: RuntimeName, gpus: readonly string[]): DeviceReport {
  return { runtime, isAvailable: true, device: '', reason: '', stepMs: 1, gpus };
}

function machine(chosen: RuntimeName, torch: readonly string[], tensorflow: readonly string[] = []): DeviceListResult {
  return { chosen, devices: [report('wasm', []), report('torch', torch), report('tensorflow', tensorflow)] };
}

const twoGpus = machine('torch', ['cuda:0', 'cuda:1']);

/** Settles once what was asked of the devices is answered. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('runs', () => {
  function begin(list: () => Promise<DeviceListResult>) {
    const { supervisor, log } = supervise(undefined, { listDevices: list });
    const start = (change: Partial<Plan>) =>
      supervisor.start({ ...newRun, plan: scriptedPlan('steps', change) }).folder;
    return { supervisor, start, log };
  }

  /** The devices that the children were told to take, in the order in which they were begun. */
  function told() {
    return children.map((child) => {
      child.told.length = 0;
      child.say({ type: 'ready' });
      const [message] = child.told;
      return message?.type === 'begin' ? [message.folder, message.work.device] : null;
    });
  }

  it('that name no GPU are spread over them, and the next takes the one that becomes free', async () => {
    const { start } = begin(() => Promise.resolve(twoGpus));
    const first = start({ runtime: 'torch' });
    // Until it is known what there is, one run is at work, on the first that there is.
    const second = start({ runtime: 'auto' });
    const third = start({ runtime: 'torch', device: 'cuda' });
    expect(children).toHaveLength(1);
    await turn();
    expect(told()).toEqual([
      [first, undefined],
      [second, 'cuda:1'],
    ]);
    await children[0]!.end(1);
    expect(told().at(-1)).toEqual([third, 'cuda:0']);
  });

  it('that name one wait for that alone, and hold up no other', async () => {
    const { start } = begin(() => Promise.resolve(twoGpus));
    const [first, second, third, fourth] = [
      start({ runtime: 'torch', device: 'cuda:1' }),
      start({ runtime: 'torch', device: 'cuda:1' }),
      start({ runtime: 'torch' }),
      start({ runtime: 'wasm' }),
    ];
    await turn();
    expect(told()).toEqual([
      [first, undefined],
      [third, 'cuda:0'],
      [fourth, undefined],
    ]);
    await children[1]!.end(1);
    expect(children).toHaveLength(3);
    await children[0]!.end(1);
    expect(told().at(-1)).toEqual([second, undefined]);
  });

  it.each([
    ['there is no GPU', () => Promise.resolve(machine('wasm', [])), []],
    [
      'nobody can tell',
      () => Promise.reject(new Error('no trial')),
      ["the devices can't be listed, so one run trains at a time: no trial"],
    ],
  ])('are one at a time where %s', async (_, list, said) => {
    const { start, log } = begin(list);
    start({ runtime: 'auto' });
    start({ runtime: 'torch' });
    start({ runtime: 'torch', device: 'cpu' });
    await turn();
    expect(children).toHaveLength(1);
    expect(log).toEqual(said);
    await children[0]!.end(1);
    expect(children).toHaveLength(2);
  });

  it('of the processor ask for no devices', async () => {
    const list = vi.fn(() => Promise.resolve(twoGpus));
    const { start } = begin(list);
    start({ runtime: 'wasm' });
    start({ runtime: 'cpu' });
    await turn();
    expect(list).not.toHaveBeenCalled();
    start({ runtime: 'auto' });
    start({ runtime: 'auto' });
    await turn();
    expect(list).toHaveBeenCalledTimes(1);
    expect(children).toHaveLength(3);
  });
});

it('a queue knows who waits, begins unreadable runs on the processor, and is emptied to the last one', () => {
  const listDevices = vi.fn(() => Promise.resolve(twoGpus));
  const queue = new RunQueue({ listDevices, log: () => undefined, onPlaces: () => undefined });
  const [first, second, third] = ['a', 'b', 'c'].map(
    (name) => ({ summary: { folder: `/nowhere/${name}` } }) as Parameters<RunQueue['add']>[0],
  );
  queue.add(first!);
  queue.add(second!);
  expect([first, second, third].map((entry) => queue.has(entry!))).toEqual([true, true, false]);
  expect(queue.take()).toEqual({ entry: first, device: undefined });
  expect(queue.has(first!)).toBe(false);
  queue.add(third!);
  expect(queue.removeAll()).toEqual([second, third]);
  expect(queue.has(second!)).toBe(false);
  expect(listDevices).not.toHaveBeenCalled();
});

describe('a queue beside sweeps', () => {
  const sweep = {};
  const entryOf = (device?: string) => {
    const plan = scriptedPlan('steps', { runtime: 'torch', ...(device && { device: device as 'cuda:0' }) });
    return { summary: createScriptedRun(plan) } as Parameters<RunQueue['add']>[0];
  };

  function begin() {
    const gpus = new TakenGpus();
    const onPlaces = vi.fn();
    const queue = new RunQueue({ listDevices: () => Promise.resolve(twoGpus), log: () => undefined, onPlaces, gpus });
    return { gpus, queue, onPlaces };
  }

  it('leaves them the GPUs that they have, and takes one as soon as they leave it', async () => {
    const { gpus, queue, onPlaces } = begin();
    gpus.take('cuda:0', sweep);
    const [first, second] = [entryOf(), entryOf()];
    for (const entry of [first, second]) queue.add(entry);
    expect(queue.take(), 'before it is known what there is').toBeNull();
    await turn();
    expect(queue.take()).toEqual({ entry: first, device: 'cuda:1' });
    expect(queue.take()).toBeNull();
    onPlaces.mockClear();
    gpus.leave('cuda:0', sweep);
    expect(onPlaces).toHaveBeenCalledTimes(1);
    expect(queue.take()).toEqual({ entry: second, device: 'cuda:0' });
  });

  it('has its own GPUs to itself until its runs leave them, also one that began before devices were known', async () => {
    const { gpus, queue } = begin();
    const [first, second] = [entryOf(), entryOf('cuda:1')];
    for (const entry of [first, second]) queue.add(entry);
    expect(queue.take()).toEqual({ entry: first, device: undefined });
    await turn();
    expect(queue.take()).toEqual({ entry: second, device: undefined });
    const areTaken = () => (['cuda:0', 'cuda:1'] as const).map((place) => gpus.isOthers(place, sweep));
    expect(areTaken()).toEqual([true, true]);
    queue.leave(second);
    expect(areTaken()).toEqual([true, false]);
    queue.leave(first);
    expect(areTaken()).toEqual([false, false]);
  });

  it('shares the processor, and tells nobody of it', async () => {
    const { gpus, queue, onPlaces } = begin();
    const told = vi.fn();
    gpus.join(sweep, told);
    gpus.take('processor', sweep);
    queue.add(entryOf('cpu'));
    await turn();
    expect(queue.take()).not.toBeNull();
    onPlaces.mockClear();
    gpus.leave('processor', sweep);
    expect([onPlaces.mock.calls.length, told.mock.calls.length]).toEqual([0, 0]);
  });
});

it('those who wait for a GPU are told in their order when its last run has left it, and no more once they part', () => {
  const gpus = new TakenGpus();
  const told: string[] = [];
  const [queue, first, second] = ['queue', 'first', 'second'].map((name) => {
    const holder = { name };
    gpus.join(holder, () => told.push(name));
    return holder;
  });
  for (let run = 0; run < 2; run++) gpus.take('cuda:0', first!);
  gpus.leave('cuda:0', first!);
  gpus.leave('cuda:0', second!);
  expect([told, gpus.isOthers('cuda:0', queue!), gpus.hasOthers(first!)]).toEqual([[], true, false]);
  gpus.leave('cuda:0', first!);
  expect([told, gpus.hasOthers(queue!)]).toEqual([['queue', 'second'], false]);
  gpus.part(second!);
  gpus.take('cuda:1', first!);
  gpus.leave('cuda:1', first!);
  expect(told).toEqual(['queue', 'second', 'queue']);
});

describe('the places for a run', () => {
  it('follow its runtime, what `auto` stands for, and its device', () => {
    const places = placesOf(machine('wasm', ['cuda:0', 'cuda:1', 'cuda:99'], ['cuda:0']));
    expect(placesFor({ runtime: 'auto' }, places)).toEqual(['processor']);
    expect(placesFor({ runtime: 'auto' }, placesOf(twoGpus))).toEqual(['cuda:0', 'cuda:1']);
    expect(placesFor({ runtime: 'torch' }, places)).toEqual(['cuda:0', 'cuda:1']);
    expect(placesFor({ runtime: 'torch', device: 'cuda' }, places)).toEqual(['cuda:0', 'cuda:1']);
    expect(placesFor({ runtime: 'torch', device: 'cuda:7' }, places)).toEqual(['cuda:7']);
    expect(placesFor({ runtime: 'torch', device: 'cpu' }, places)).toEqual(['processor']);
    expect(placesFor({ runtime: 'torch', device: 'mps' }, places)).toEqual(['processor']);
    // Where TensorFlow uses a GPU, it may use each that PyTorch tells of.
    expect(placesFor({ runtime: 'tensorflow' }, places)).toEqual(['cuda:0', 'cuda:1']);
    expect(placesFor({ runtime: 'tensorflow' }, placesOf(machine('wasm', ['cuda:0'])))).toEqual(['processor']);
    expect(placesFor({ runtime: 'tensorflow' }, placesOf(machine('wasm', [], ['cuda:0'])))).toEqual(['cuda:0']);
  });
});

describe('a process that is shown one GPU', () => {
  it.each([
    ['cuda:1', undefined, '1'],
    ['cuda:0', '3,1', '3'],
    ['cuda:1', '3, GPU-8f6a', 'GPU-8f6a'],
    ['cuda:2', '3,1', ''],
    ['mps', undefined, undefined],
    ['cpu', '0', '0'],
  ])('%s of those of %s sees %s', (name, before, after) => {
    const env: NodeJS.ProcessEnv = before === undefined ? {} : { CUDA_VISIBLE_DEVICES: before };
    showOneGpu(name, env);
    expect(env['CUDA_VISIBLE_DEVICES']).toBe(after);
  });
});
