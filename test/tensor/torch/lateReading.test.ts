// Late readings where there is no GPU: the addon with a driver of our own in NVIDIA's place, which writes down how it is called. That copies
// run beside the host only a GPU can show.
import * as tf from '@tensorflow/tfjs-core';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Plan } from '../../../server/protocol/plan.ts';
import { beginFloats, beginIntegers } from '../../../server/tensor/read.ts';
import type { Torch } from '../../../server/tensor/torch/torch.ts';
import { TorchBackend } from '../../../server/tensor/torch/torchBackend.ts';
import { collect, tinyDataset, tinyPlan } from '../../trainer/tinyPlan.ts';
import { openContractRuntime } from '../ops/runtimes.ts';

const driver = `
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
static int stream;
static int note(const char *call) {
  FILE *calls = fopen(CALLS, "a");
  fputs(call, calls);
  return fclose(calls);
}
int cuMemHostAlloc(void **memory, size_t bytes, unsigned flags) {
  *memory = malloc(bytes);
  return note(flags == 0 ? "allocate " : "allocate otherwise ");
}
int cuEventCreate(void **event, unsigned flags) {
  *event = malloc(1);
  return note(flags == 2 ? "create " : "create otherwise ");
}
int cuEventRecord(void *event, void *where) { return note(where == &stream ? "record " : "record elsewhere "); }
int cuEventSynchronize(void *event) { return note("wait "); }
int32_t aoti_torch_get_current_cuda_stream(int32_t index, void **found) { return *found = &stream, 0; }
`;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-late-'));
const calls = path.join(folder, 'calls');
let torch: Torch;

/** Since the last time. */
function takeCalls(): string {
  const told = fs.existsSync(calls) ? fs.readFileSync(calls, 'utf8') : '';
  fs.rmSync(calls, { force: true });
  return told;
}

beforeAll(async () => {
  await openContractRuntime('torch');
  ({ torch } = tf.backend() as TorchBackend);
  const [code, library] = ['driver.c', 'driver.so'].map((name) => path.join(folder, name)) as [string, string];
  fs.writeFileSync(code, driver);
  const compiled = spawnSync('cc', ['-shared', '-fPIC', `-DCALLS="${calls}"`, '-o', library, code], {
    encoding: 'utf8',
  });
  expect(compiled.stderr).toBe('');
  torch.binding.open(library);
  tf.registerBackend('late', () => new TorchBackend(torch, { readsLate: true }));
  for (const kernel of tf.getKernelsForBackend('torch')) tf.registerKernel({ ...kernel, backendName: 'late' });
  await tf.setBackend('late');
});
afterAll(() => {
  tf.removeBackend('late');
  fs.rmSync(folder, { recursive: true });
});

describe('a late reading', () => {
  it('gives the values as they were when it began, waiting for its own copy and no earlier', () => {
    const x = tf.variable(tf.tensor1d([1, NaN, -0]));
    const counts = tf.tensor1d([3, -4], 'int32');
    takeCalls();
    const [floats, integers] = [beginFloats(x), beginIntegers(counts)];
    expect(takeCalls()).toBe('create allocate record create allocate record ');
    x.assign(tf.tensor1d([7, 8, 9]));
    counts.dispose();
    expect(takeCalls()).toBe('');
    expect(integers()).toEqual(Int32Array.of(3, -4));
    expect(floats()).toEqual(Float32Array.of(1, NaN, -0));
    expect(takeCalls()).toBe('wait wait ');
    // The same memory and events again.
    expect(beginFloats(x)()).toEqual(Float32Array.of(7, 8, 9));
    expect(takeCalls()).toBe('record wait ');
    x.dispose();
  });

  it('is of any size, none among them', () => {
    for (const size of [0, 1, 64, 65, 100_000]) {
      const values = Float32Array.from({ length: size }, (_, index) => index / 7);
      const tensor = tf.tensor1d(values.slice());
      const reading = beginFloats(tensor);
      tensor.dispose();
      expect(reading()).toEqual(values);
    }
  });

  it('is refused where it is not under way, or the array is of another size', () => {
    const tensor = torch.binding.empty([2], torch.codes.float32);
    torch.binding.write(tensor, Float32Array.of(1, 2));
    const reading = torch.binding.beginRead(tensor)!;
    expect(() => torch.binding.endRead(reading, new Float32Array(3))).toThrow("the array's size is not the tensor's");
    const values = new Float32Array(2);
    torch.binding.endRead(reading, values);
    expect([...values]).toEqual([1, 2]);
    for (const number of [reading, -1, 1e6]) {
      expect(() => torch.binding.endRead(number, values), String(number)).toThrow(
        'no reading under way has this number',
      );
    }
    expect(() => torch.binding.beginRead(1e6)).toThrow('no tensor has this number');
    torch.binding.free(tensor);
  });

  it('is made at once where too many are under way, or the device computes on the host', async () => {
    const tensor = torch.binding.empty([1], torch.codes.float32);
    const begun = Array.from({ length: 1100 }, () => torch.binding.beginRead(tensor));
    expect(begun.filter((reading) => reading === null).length).toBeGreaterThan(0);
    for (const reading of begun) if (reading !== null) torch.binding.endRead(reading, new Float32Array(1));
    expect(torch.binding.beginRead(tensor)).not.toBeNull();
    torch.binding.free(tensor);
    await tf.setBackend('torch');
    takeCalls();
    const x = tf.tensor1d([5]);
    const reading = beginFloats(x);
    x.dispose();
    expect([...reading()]).toEqual([5]);
    expect(takeCalls()).toBe('');
    await tf.setBackend('late');
  });
});

describe('a training that reads late', () => {
  const standard = { method: { type: 'standard' }, threat: null } as const;
  const optimizer = { type: 'sgd', momentum: 0.9, weightDecay: 5e-4 } as const;
  const trainings: Readonly<Record<string, Partial<Plan['training']>>> = {
    'by fgsm-rs': {},
    'that diverges': { ...standard, optimizer, schedule: { type: 'constant', learningRate: 1e30 } },
  };

  it.each(Object.entries(trainings))('%s tells and keeps what one tells that reads at once', async (name, training) => {
    const plan: Plan = { ...tinyPlan, runtime: 'torch', training: { ...tinyPlan.training, ...training } };
    const dataset = tinyDataset({ nTrain: 8 });
    await tf.setBackend('torch');
    const atOnce = await collect(plan, dataset);
    await tf.setBackend('late');
    takeCalls();
    const late = await collect(plan, dataset, { stepsBehind: 3 });
    expect(takeCalls()).toContain('record record record record record ');
    expect(late.events).toEqual(atOnce.events);
    expect(late.records.at(-1)!.type).toBe(name === 'that diverges' ? 'diverged' : 'test');
  });
});
