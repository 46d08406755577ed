// Runs of every status in the Runs view of a real VS Code, and a run whose data is gone.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runStatuses } from '../../server/protocol/run.ts';
import type { RunStatus } from '../../server/protocol/run.ts';
import { glance } from '../../server/run/runGlance.ts';
import { RunRecorder } from '../../server/run/runRecorder.ts';
import { createScriptedRun, scriptedClock, startScriptedRun } from '../run/scriptedRun.ts';
import { scriptedPlan } from '../run/scriptedTrainer.ts';
import { text } from './panelText.ts';
import { pressAgainMs, themes, until, Workbench } from './workbench.ts';

/** Of the codicons, by status. */
const icons: Readonly<Record<RunStatus, string>> = {
  waiting: 'circle-large-outline',
  queued: 'watch',
  preparing: 'loading',
  training: 'circle-filled',
  paused: 'debug-pause',
  evaluating: 'shield',
  finished: 'pass',
  stopped: 'stop-circle',
  interrupted: 'debug-disconnect',
  diverged: 'flame',
  failed: 'error',
  damaged: 'warning',
};

let workbench: Workbench;
let folder: string;
let runsFolder: string;
let movedFolder: string;
let stoppedFolder: string;
/** Writers of the runs that are at work, which live as long as this process. */
const recorders: RunRecorder[] = [];

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-runs-view-'));
  runsFolder = path.join(folder, '.kafscope/runs');
  for (const [seed, status] of runStatuses.entries()) await makeRun(status, seed);
  const dataset = { name: 'cifar10', path: path.join(folder, 'gone'), trainSamples: 100, testSamples: 100 } as const;
  movedFolder = createScriptedRun(scriptedPlan('steps', { name: 'moved', seed: 99, dataset }), runsFolder).folder;
  fs.mkdirSync(path.join(folder, 'elsewhere'));
  const settings = { 'workbench.colorTheme': themes.dark.name };
  workbench = await Workbench.open({ folder, settings, viewport: { width: 900, height: 640 } });
  await workbench.page.locator('.activitybar').getByRole('tab', { name: 'Kafscope' }).click();
  // The view makes only the rows that have room.
  for (const view of ['Monitor', 'Experiments']) {
    await workbench.page.locator('.pane-header', { hasText: view }).click();
  }
});

afterAll(async () => {
  await workbench.screenshot('runs-last');
  await workbench.close();
  for (const recorder of recorders) recorder.close();
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

async function makeRun(status: RunStatus, seed: number): Promise<void> {
  const { folder: runFolder } = createScriptedRun(scriptedPlan('steps', { name: 'every-status', seed }), runsFolder);
  if (status === 'stopped') stoppedFolder = runFolder;
  if (status === 'waiting') return;
  if (status === 'finished') {
    await startScriptedRun(runFolder).ended;
    flipLastBit(path.join(runFolder, 'checkpoints/step-8.safetensors'));
    return;
  }
  if (status === 'damaged') {
    fs.writeFileSync(path.join(runFolder, 'origin.json'), '{');
    return;
  }
  const options = { folder: runFolder, clock: scriptedClock(), onChange: () => {}, startHeartbeat: () => () => {} };
  const recorder = new RunRecorder('train', 0, options);
  recorder.update({ status, message: status === 'failed' ? 'Out of memory. Lower training.batchSize.' : null });
  recorders.push(recorder);
}

function flipLastBit(file: string): void {
  const bytes = fs.readFileSync(file);
  bytes[bytes.length - 1]! ^= 1;
  fs.writeFileSync(file, bytes);
}

/** By what is read aloud of it, from its beginning. */
function row(words: string) {
  return workbench.page.locator(`.monaco-list-row[aria-label^="${words}"]`).first();
}

function damagedRow() {
  return workbench.page.locator('.monaco-list-row[aria-label$=", damaged"]');
}

function quickInput() {
  return workbench.page.locator('.quick-input-widget');
}

/**
 * Opens the box for the name of the run. What is chosen reaches the extension a moment after it shows; a key before that asks for a run, is
 * taken back, and pressed again.
 */
async function renameByKey(words: string): Promise<void> {
  await until(`the box for the name of ${words}`, async () => {
    await workbench.page.keyboard.press('Escape');
    // With the key held it is chosen, and not opened.
    await row(words).click({ modifiers: ['ControlOrMeta'] });
    if ((await row(words).getAttribute('aria-selected')) !== 'true') return false;
    await workbench.page.keyboard.press('F2');
    const title = quickInput().getByText(/^Rename /);
    const isHeard = await title.waitFor({ timeout: pressAgainMs }).then(
      () => true,
      () => false,
    );
    return isHeard && (await title.innerText()).startsWith('Rename every-status');
  });
}

async function resume(words: string): Promise<void> {
  await row(words).hover();
  await row(words).locator('.actions a[aria-label^="Resume"]').click();
}

describe('the Runs view', () => {
  it('has a row with an icon of its own for a run of every status', async () => {
    for (const [seed, status] of runStatuses.entries()) {
      const found = status === 'damaged' ? damagedRow() : row(`every-status, seed ${String(seed)}, `);
      await found.waitFor();
      const icon = found.locator('.custom-view-tree-node-item-icon');
      expect(await icon.getAttribute('class'), status).toContain(`codicon-${icons[status]}`);
    }
    expect(await row('every-status, seed 0, ').innerText()).toContain('not started');
    expect(await row('Damaged').innerText()).toContain('1 run');
  });

  it('shows the checkpoints of a run with their sizes', async () => {
    await row('every-status, seed 6, ').locator('.monaco-tl-twistie').click();
    await row('epoch 3').waitFor();
    expect(await row('epoch 3').innerText()).toMatch(/step 12 · \d\.\d kB/);
  });

  it.each(Object.keys(themes) as (keyof typeof themes)[])('is told apart in the theme %s', async (theme) => {
    await workbench.useTheme(theme);
    await workbench.page.mouse.move(700, 400);
    await workbench.screenshot(`runs-${theme}`);
    const faint: string[] = [];
    for (const status of runStatuses) {
      const icon = workbench.page.locator(`.custom-view-tree-node-item-icon.codicon-${icons[status]}`).first();
      const ratio = await icon.evaluate(contrastWithGround);
      // Of graphics by WCAG 2.2, 1.4.11, were 3; yellow of VS Code's own light theme has less.
      if (ratio < 2.5) faint.push(`${status} ${ratio.toFixed(2)}`);
    }
    expect(faint).toEqual([]);
  });
});

describe('what a person makes of a run', () => {
  const stopped = 'every-status, seed 7, ';

  it('moves it to the trash, of which nothing is deleted, and takes it back at once', async () => {
    await row(stopped).hover();
    await row(stopped).locator('.actions a[aria-label^="Move Run to Trash"]').click();
    await row('Trash').waitFor();
    await row(stopped).waitFor({ state: 'detached' });
    await workbench.screenshot('runs-trash');
    await workbench.page.locator('.notification-toast').getByRole('button', { name: 'Undo' }).click();
    await row(stopped).waitFor();
    await row('Trash').waitFor({ state: 'detached' });
    expect(glance(stoppedFolder).summary.status).toBe('stopped');
    expect(fs.readdirSync(stoppedFolder)).not.toContain('mark.json');
  });

  it('calls it by a name of its own, with the key of the editor for that', async () => {
    await renameByKey(stopped);
    const box = quickInput().locator('input').first();
    await box.fill('the best $(zap) <b>');
    await workbench.page.keyboard.press('Enter');
    await row('every-status, the best $(zap) <b>').waitFor();
    expect(fs.readFileSync(path.join(stoppedFolder, 'mark.json'), 'utf8')).toContain('"title": "the best $(zap) <b>"');
    await workbench.screenshot('runs-renamed');
  });
});

/** Runs in the page: the contrast ratio of WCAG 2.2 between an element's colour and what lies behind it. */
function contrastWithGround(element: Element): number {
  const channels = (color: string): [number, number, number, number] => {
    const [red = 0, green = 0, blue = 0, alpha = 1] = (color.match(/[\d.]+/g) ?? []).map(Number);
    return [red, green, blue, alpha];
  };
  let ground: Element | null = element;
  while (ground && channels(getComputedStyle(ground).backgroundColor)[3] < 1) ground = ground.parentElement;
  const below = channels(ground ? getComputedStyle(ground).backgroundColor : 'rgb(255, 255, 255)');
  const [red, green, blue, alpha] = channels(getComputedStyle(element, '::before').color);
  const luminance = (values: readonly number[]): number =>
    values.reduce((sum, value, index) => {
      const part = value / 255;
      const linear = part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      return sum + linear * ([0.2126, 0.7152, 0.0722][index] ?? 0);
    }, 0);
  const mixed = [red, green, blue].map((value, index) => value * alpha + (below[index] ?? 0) * (1 - alpha));
  const [one, other] = [luminance(mixed), luminance(below.slice(0, 3))];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

describe('a damaged run', () => {
  it('says in its dashboard and its tooltip what is wrong', async () => {
    await damagedRow().click();
    const frame = await workbench.webviewWith('kaf-dashboard');
    await until('the reason', async () => (await text(frame, 'kaf-dashboard')).includes('is damaged'));
    expect(await text(frame, 'kaf-dashboard')).toContain('origin.json is damaged: it is not JSON');
    await workbench.screenshot('runs-damaged');
  });
});

describe('a run whose data is not where it was', () => {
  it('is begun, fails, and is then resumed with the folder that one chooses', async () => {
    const moved = 'moved, seed 99, ';
    await resume(moved);
    await until('the run to fail', () => Promise.resolve(glance(movedFolder).summary.status === 'failed'));
    expect(glance(movedFolder).summary.message).toContain(path.join(folder, 'gone'));
    await row('moved, seed 99, failed').waitFor();
    await resume(moved);
    const dialog = workbench.page.locator('.monaco-dialog-box');
    await dialog.waitFor();
    const question = 'The data of “moved · seed 99” was not found where the run had it. Where does it lie now?';
    expect(await dialog.innerText()).toContain(question);
    await workbench.screenshot('runs-choose-folder');
    await dialog.getByRole('button', { name: 'Choose Folder…' }).click();
    const picker = workbench.page.locator('.quick-input-widget');
    // It opens with the workspace's folder.
    await picker.locator('.monaco-list-row', { hasText: 'elsewhere' }).click();
    await until('the folder', async () => /elsewhere.$/.test(await picker.locator('input').first().inputValue()));
    await workbench.screenshot('runs-folder-picker');
    await picker.getByRole('button', { name: 'Use This Folder' }).click();
    // It is empty, which the run says.
    await until('the run to look there', () => {
      const { status, message, incarnation } = glance(movedFolder).summary;
      return Promise.resolve(incarnation === 1 && status === 'failed' && (message ?? '').includes('elsewhere'));
    });
  });
});

describe('a damaged checkpoint', () => {
  it('says in the inspector which tensor is damaged, and what to do', async () => {
    await row('epoch 2').click();
    const frame = await workbench.webviewWith('kaf-checkpoint');
    await until('the tensors', async () => (await text(frame, 'kaf-checkpoint')).includes('kaf1.alpha'));
    const shown = await text(frame, 'kaf-checkpoint');
    expect(shown).toContain('1 tensor is damaged optimizer/kaf1.alpha.velocity');
    expect(shown).toContain('Take an earlier one of the run');
    await workbench.screenshot('runs-damaged-checkpoint');
  });
});
