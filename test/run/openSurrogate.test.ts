// Where the network of an attack by transfer is found, and what is said where it is not: a run's newest weights, a lone checkpoint, or
// those that an evaluation began with.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { writeCheckpoint } from '../../server/run/checkpointFile.ts';
import { openSurrogate } from '../../server/run/openSurrogate.ts';
import { checkpointsFolder } from '../../server/run/runFolder.ts';
import type { OpenTrainer } from '../../server/run/trainer.ts';
import { attackPlan } from '../attack/plans.ts';
import { createScriptedRun, fromStart, goOn, readRows, startScriptedRun, temporaryFolder } from './scriptedRun.ts';
import { openScriptedTrainer, scriptedPlan, scriptedState } from './scriptedTrainer.ts';

const plan = scriptedPlan('steps');
let runsFolder: string;
let id: string;
let newest: string;

beforeEach(async () => {
  runsFolder = temporaryFolder();
  const { folder } = createScriptedRun(plan, runsFolder);
  await startScriptedRun(folder).ended;
  id = path.basename(folder);
  newest = fs
    .readdirSync(checkpointsFolder(folder))
    .sort((a, b) => Number(/\d+/.exec(a)) - Number(/\d+/.exec(b)))
    .at(-1)!;
});

const open = (from: string, before: Parameters<typeof openSurrogate>[1]['before'] = null) =>
  openSurrogate(from, { runsFolder, before });

describe('the network that images are made on', () => {
  it('is a run by its id or its folder, with its newest weights, or a checkpoint file', () => {
    const byId = open(id);
    expect(path.basename(byId.file)).toBe(newest);
    expect(byId.plan).toEqual(plan);
    expect(byId.origin).toMatchObject({ runId: id, step: byId.state.step });
    expect(byId.origin.digest).toMatch(/^[0-9a-f]{32}$/);
    expect(open(path.join(runsFolder, id))).toEqual(byId);
    expect(open(byId.file)).toEqual(byId);
    expect(open(`~/${path.relative(os.homedir(), byId.file)}`).origin).toEqual(byId.origin);
  });

  it('is not there: by its id, by a path, or without a checkpoint', () => {
    expect(() => open('nobody')).toThrow(/nobody, which .* does not exist\. Name a run in .*, or the path of/);
    expect(() => open('/no/such/step-1.safetensors')).toThrow(/does not exist\. Name a run's folder or a checkpoint\./);
    const untrained = createScriptedRun(plan, runsFolder);
    expect(() => open(untrained.id)).toThrow(/has no checkpoint yet\. Train it first, or name another\./);
  });

  it('is data alone: a folder, a damaged file and one of another program are refused by what they are', () => {
    expect(() => open(runsFolder)).toThrow(/is a folder\. Name a file in it\./);
    const file = path.join(checkpointsFolder(path.join(runsFolder, id)), newest);
    const bytes = fs.readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    const damaged = path.join(runsFolder, 'damaged.safetensors');
    fs.writeFileSync(damaged, bytes);
    expect(() => open(damaged)).toThrow(/is damaged: its bytes do not match the digest/);
    const foreign = path.join(runsFolder, 'foreign.safetensors');
    const header = Buffer.from('{"__metadata__":{"format":"pt"}}');
    fs.writeFileSync(foreign, Buffer.concat([Buffer.from(BigUint64Array.of(BigInt(header.length)).buffer), header]));
    expect(() => open(foreign)).toThrow(/was not written by Kafscope/);
  });

  it('of an evaluation that goes on is that of its first images, though the run has trained on since', () => {
    const before = open(id).origin;
    const later = path.join(checkpointsFolder(path.join(runsFolder, id)), 'step-1000.safetensors');
    writeCheckpoint(later, scriptedState(1000, 9), { plan, runId: id, versions: {} });
    expect(path.basename(open(id, before).file)).toBe(newest);
    expect(() => open(later, before)).toThrow(/has other weights than those .* start a new evaluation\./);
    expect(() => open(id, { ...before, step: 999 })).toThrow(/step-999\.safetensors, which .* is gone\./);
  });
});

describe('the weights that images were made on', () => {
  const values = Float32Array.of(1, 2, 3, 4);
  const model = { shape: [2, 2], values };
  /** What is told of a network of these tensors. */
  function digestOf(tensors: Record<string, { shape: number[]; values: Float32Array }>) {
    const file = path.join(temporaryFolder(), 'step-1.safetensors');
    const state = { step: 1, epoch: 1, tensors: new Map(Object.entries(tensors)) };
    writeCheckpoint(file, state, { plan, runId: 'run', versions: {} });
    return open(file).origin.digest;
  }

  it('are the same whatever the optimizer remembers', () => {
    const optimizer = { 'optimizer/w.velocity': { shape: [4], values } };
    expect(digestOf({ 'model/w': model, ...optimizer })).toBe(digestOf({ 'model/w': model }));
  });

  it('are others by a value, a name, a shape, or their average', () => {
    const other = { ...model, values: Float32Array.of(1, 2, 3, 5) };
    const digests = [
      ...[{ 'model/w': model }, { 'model/w': other }, { 'model/v': model }, { 'model/w': { shape: [4], values } }],
      ...[
        { 'model/w': model, 'average/w': model },
        { 'model/w': model, 'average/w': other },
      ],
    ].map(digestOf);
    expect(new Set(digests).size).toBe(digests.length);
  });
});

describe('a run whose experiment asks for a transfer', () => {
  it('ends before it trains where there is no such network', async () => {
    const evaluation = [attackPlan('transfer', { from: 'nobody', samples: 10 })];
    const { folder } = createScriptedRun({ ...plan, evaluation }, runsFolder);
    const end = await startScriptedRun(folder, fromStart).ended;
    expect(end).toMatchObject({ status: 'failed', step: 0 });
    expect(end.message).toMatch(/nobody, which the images are to be made on, does not exist/);
    expect(readRows(folder)).toEqual([]);
    fs.renameSync(path.join(runsFolder, id), path.join(runsFolder, 'nobody'));
    expect(await startScriptedRun(folder, goOn(folder)).ended).toMatchObject({ status: 'finished' });
  });

  it('tells the trainer before training which networks its evaluations will make images on', async () => {
    const evaluation = [attackPlan('transfer', { from: id, samples: 10 }), attackPlan('pgd', { samples: 10 })];
    const { folder } = createScriptedRun({ ...plan, evaluation }, runsFolder);
    const told: unknown[] = [];
    const openTrainer: OpenTrainer = async (of) => {
      const trainer = await openScriptedTrainer(of);
      const train: typeof trainer.train = (trained, options) => {
        told.push(options.surrogates);
        return trainer.train(trained, options);
      };
      return { ...trainer, train };
    };
    await startScriptedRun(folder, fromStart, { openTrainer }).ended;
    expect(told).toEqual([new Map([[id, { file: open(id).file, plan }]])]);
  });
});
