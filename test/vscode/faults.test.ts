// What goes wrong for real in a real VS Code: no data set, a loss that is not finite, a trainer that is killed. Each must be said,
// and what can be mended must be mendable from where it is said. One workbench for all.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Frame, Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newestLog, readHead } from '../../server/run/logFile.ts';
import { glance } from '../../server/run/runGlance.ts';
import { status, stepShown, text, textNow } from './panelText.ts';
import { until, Workbench } from './workbench.ts';

const experiments = {
  nowhere: `name: nowhere
dataset: { name: cifar10, path: /nowhere }
model: { network: light }
`,
  large: `name: large
runtime: wasm
dataset: { name: shapes, trainSamples: 4000, testSamples: 16 }
model: { network: vgg }
training: { batchSize: 4000 }
`,
  // One step; more images to attack than fit at once.
  attacked: `name: attacked
runtime: wasm
dataset: { name: shapes, trainSamples: 4, testSamples: 9000 }
model: { network: light }
training: { epochs: 1, batchSize: 4 }
observe: { test: 0 }
`,
  // The thesis's own failure: it comes to its end, and nothing of it means anything.
  exploding: `name: exploding
runtime: wasm
dataset: { name: shapes, trainSamples: 24, testSamples: 8 }
model: { network: { type: resnet, depth: 56 }, activation: { type: kaf, init: { normal: 0.05 } } }
training: { epochs: 1, batchSize: 8, optimizer: sgd, schedule: { learningRate: 0.01 } }
observe: { norms: 1, robustSamples: 0 }
`,
  // A weight norm of hundreds after one step: the loss overflows within a few.
  diverging: `name: diverging
dataset: { name: shapes, trainSamples: 128, testSamples: 16 }
model: { network: light, activation: { type: relu } }
training:
  epochs: 50
  batchSize: 16
  optimizer: { type: sgd, momentum: 0.9 }
  schedule: { type: constant, learningRate: 100 }
observe: { norms: 1 }
`,
  // One step an epoch, each with a checkpoint; long enough that it ends only when it is told to.
  killed: `name: killed
dataset: { name: shapes, trainSamples: 16, testSamples: 16 }
model: { network: light }
training: { epochs: 2000, batchSize: 16, optimizer: { type: adam } }
observe: { robustSamples: 1, robustSteps: 1 }
`,
};

let workbench: Workbench;
let folder: string;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-faults-'));
  for (const [name, content] of Object.entries(experiments)) {
    fs.writeFileSync(path.join(folder, `${name}.kaf.yaml`), content);
  }
  // A row's tip would cover the row below it.
  workbench = await Workbench.open({
    folder,
    settings: { 'workbench.colorTheme': 'Default Dark Modern', 'workbench.hover.delay': 60_000 },
  });
  await workbench.page.locator('.activitybar a[aria-label^="Kafscope"]').first().click();
});

afterAll(async () => {
  await workbench.screenshot('faults-last');
  await workbench.close();
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

/** A row of one of the sidebar's trees. */
function row(label: string | RegExp): Locator {
  return workbench.page.locator('.sidebar .monaco-list-row', { hasText: label }).first();
}

/** Presses an action that a row shows while the pointer is on it. */
async function press(at: Locator, action: string): Promise<void> {
  await at.hover();
  await at.locator(`.action-label[aria-label^="${action}"]`).click();
}

/** Trains from the Experiments tree; gives the dashboard that opens by itself. */
async function train(name: keyof typeof experiments): Promise<Frame> {
  await press(row(new RegExp(`^${name}$`)), 'Train');
  let found: Frame | undefined;
  await until(`the dashboard of ${name}`, async () => {
    const frame = await workbench.webviewWith('kaf-dashboard-header');
    const header = await textNow(frame, 'kaf-dashboard-header').catch(() => ''); // the one before goes as this one comes
    if (header.startsWith(name)) found = frame;
    return found !== undefined;
  });
  if (!found) throw new Error(`no dashboard of ${name}`);
  return found;
}

async function waitForStatus(frame: Frame, wanted: string): Promise<void> {
  await until(`the run to be ${wanted}`, async () => (await status(frame)) === wanted);
}

async function monitor(): Promise<string> {
  return text(await workbench.webviewWith('kaf-monitor'), 'kaf-monitor');
}

/** By the process that the run's folder names as its own. */
function killTrainer(name: string): void {
  const owner = readHead(runFolder(name), newestLog(runFolder(name)))?.owner;
  if (!owner) throw new Error(`no process trains ${name}`);
  process.kill(owner.pid, 'SIGKILL');
}

function runFolder(name: string): string {
  const runs = path.join(folder, '.kafscope/runs');
  return path.join(runs, fs.readdirSync(runs).find((each) => each.includes(name)) ?? '');
}

/** The step of the newest checkpoint that the run lists: one that is whole on the disk may not have come to be listed. */
function lastCheckpoint(name: string): number {
  return glance(runFolder(name)).summary.checkpoints.at(-1)?.step ?? 0;
}

describe('when something goes wrong', () => {
  it('a data set that is not there is told, with the remedy, in dashboard, monitor and tree', async () => {
    const frame = await train('nowhere');
    await waitForStatus(frame, 'failed');
    const sentence = /There is no folder \/nowhere.*Set dataset\.path to the folder that holds/;
    expect(await text(frame, 'kaf-dashboard [role=alert]')).toMatch(sentence);
    await until('the sentence in the monitor', async () => sentence.test(await monitor()));
    await row(/^seed 0\s*failed/).waitFor();
    // Nothing was trained, so there is nothing to attack.
    expect(await frame.locator('[data-intent=evaluate]').count()).toBe(0);
    await workbench.screenshot('faults-failed');
  });

  it('a batch that does not fit is refused, with one that fits, in dashboard and monitor', async () => {
    const frame = await train('large');
    await waitForStatus(frame, 'failed');
    const sentence = /Batches of 4000 images need about .* GB of memory; .* Set training\.batchSize to \d+ or less\./;
    expect(await text(frame, 'kaf-dashboard [role=alert]')).toMatch(sentence);
    expect(await stepShown(frame)).toBe(0);
    await until('the sentence in the monitor', async () => sentence.test(await monitor()));
    await workbench.screenshot('faults-large');
  });

  it('an attack that does not fit is refused likewise, and the run stays finished', async () => {
    const frame = await train('attacked');
    await waitForStatus(frame, 'finished');
    expect(await text(frame, 'kaf-dashboard-header')).toMatch(/memory [\d.]+ kB · peak [\d.]+ MB/);
    await frame.locator('[data-intent=evaluate]').click();
    const form = frame.locator('kaf-evaluate-form');
    for (const name of ['samples', 'batchSize']) await form.locator(`[data-field=${name}] input`).fill('9000');
    await form.getByText('Start attack').click();
    const sentence = /Batches of 9000 images need about .* GB of memory; .* Set the batch size to \d+ or less\./;
    await frame.locator('kaf-dashboard [role=alert]').waitFor();
    expect(await text(frame, 'kaf-dashboard [role=alert]')).toMatch(sentence);
    expect(await status(frame)).toBe('finished');
    await until('the sentence in the monitor', async () => sentence.test(await monitor()));
    await workbench.screenshot('faults-attack');
  });

  it('a run that diverges names the step, and its norms mark what is not finite', async () => {
    const frame = await train('diverging');
    await waitForStatus(frame, 'diverged');
    // The status comes ahead of the record that tells where.
    await until('the step', async () =>
      /Diverged at step \d+ ?: loss is not finite/.test(await text(frame, 'kaf-dashboard [role=alert]')),
    );
    await row(/^seed 0\s*diverged · after step \d+/).waitFor();
    await frame.getByRole('button', { name: 'Show the norms' }).click();
    await until('cells in the colour of what is not finite', async () => (await notFinitePixels(frame)) > 100);
    await workbench.screenshot('faults-diverged');
  });

  it('a run that comes to its end says why it means nothing, in dashboard, monitor and tree, and leads to the layer', async () => {
    const frame = await train('exploding');
    await waitForStatus(frame, 'finished');
    const titles = ['Weights jumped by decades', 'Gradients explode across depth', 'Parameters without a gradient'];
    const found = frame.locator('kaf-findings .finding');
    await until('three findings', async () => (await found.count()) === titles.length);
    expect(await found.locator('b').allTextContents()).toEqual(titles);
    await until('the findings in the monitor', async () => /Gradients explode across depth/.test(await monitor()));
    await until('the findings in the tree', async () =>
      /Weights jumped by decades/.test((await row(/^seed 0/).getAttribute('aria-label')) ?? ''),
    );
    await found.nth(1).locator('summary').click();
    await found.nth(1).getByText('Choose an activation with a gain near 1').waitFor();
    await found.nth(1).getByRole('button', { name: 'Show it in the norms' }).click();
    expect(await text(frame, 'kaf-norms-tab')).toMatch(/across depth.*×\d\.\d\d a layer, backwards/s);
    await workbench.screenshot('faults-exploding');
  });

  it.each(['tree', 'dashboard'])(
    'a killed trainer is told, and the %s resumes the run from its last checkpoint',
    async (from) => {
      const frame = from === 'tree' ? await train('killed') : await workbench.webviewWith('kaf-dashboard-header');
      const before = await stepShown(frame);
      await until('three steps', async () => (await stepShown(frame)) >= before + 3);
      killTrainer('killed');
      await waitForStatus(frame, 'interrupted');
      const shown = await stepShown(frame);
      expect(await text(frame, 'kaf-dashboard [role=alert]')).toMatch(/SIGKILL.*Resume the run/);
      const checkpoint = lastCheckpoint('killed');
      expect(checkpoint).toBeGreaterThanOrEqual(before + 2);
      if (from === 'tree') await press(row(/^seed 0\s*interrupted/), 'Resume');
      else await frame.locator('[data-intent=resume]').click();
      await waitForStatus(frame, 'training');
      await until('a step after the checkpoint', async () => {
        const step = await stepShown(frame);
        // Not from the start again. What was recorded last may not have been shown before the trainer was killed.
        expect(step).toBeGreaterThanOrEqual(Math.min(shown, checkpoint));
        return step > checkpoint;
      });
      await workbench.screenshot(`faults-resumed-${from}`);
    },
  );

  it('the resumed run stops when told to', async () => {
    const frame = await workbench.webviewWith('kaf-dashboard-header');
    await frame.locator('[data-intent=stop]').click();
    await waitForStatus(frame, 'stopped');
  });
});

/** How many pixels of the norms have the colour of what is not finite, in the dark theme. */
async function notFinitePixels(frame: Frame): Promise<number> {
  return frame.locator('kaf-norms-tab canvas').evaluateAll((canvases) =>
    canvases.reduce((sum, canvas) => {
      if (!(canvas instanceof HTMLCanvasElement) || canvas.width === 0 || canvas.height === 0) return sum;
      const data = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      let marked = 0;
      for (let at = 0; at < data.length; at += 4) {
        if (data[at] === 0xff && data[at + 1] === 0x4f && data[at + 2] === 0xd8) marked++;
      }
      return sum + marked;
    }, 0),
  );
}
