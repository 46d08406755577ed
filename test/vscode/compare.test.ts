// Runs compared in a real VS Code: chosen from the list, drawn, grouped, tabled; and what was set is there after a reload.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLongRun } from '../bench/longRun.ts';
import { text, textNow } from './panelText.ts';
import { themes, until, Workbench } from './workbench.ts';

let workbench: Workbench;
let folder: string;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-compare-'));
  const runsFolder = path.join(folder, '.kafscope/runs');
  makeLongRun(runsFolder, { nSteps: 20_000, nTensors: 4, normsEvery: 10, spikeAt: 7000 });
  makeLongRun(runsFolder, { nSteps: 1000, nTensors: 4, normsEvery: 10 });
  const settings = { 'workbench.colorTheme': themes.dark.name };
  workbench = await Workbench.open({ folder, settings });
  await workbench.page.locator('.activitybar a[aria-label^="Kafscope"]').first().click();
  // The command is offered where there are runs.
  await workbench.page.locator('.sidebar .monaco-list-row', { hasText: 'seed 0' }).nth(1).waitFor();
});

afterAll(async () => {
  await workbench.screenshot('compare-last');
  await workbench.close();
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

describe('runs compared in VS Code', () => {
  it('are chosen from a list, and each has a curve', async () => {
    await workbench.runCommand('Kafscope: Compare Runs');
    const list = workbench.page.locator('.quick-input-widget');
    await until('both runs in the list', async () => (await list.locator('.monaco-list-row').count()) === 2);
    for (const index of [0, 1]) await list.locator('.monaco-list-row').nth(index).click();
    await workbench.page.keyboard.press('Enter');
    const frame = await workbench.webviewWith('kaf-compare kaf-compare-curves kaf-line-chart');
    expect(await text(frame, 'kaf-compare h1')).toBe('2 of 2 runs');
    const told = await text(frame, 'kaf-compare-curves .told');
    expect(told.match(/seed 0/g)).toHaveLength(2);
    await workbench.screenshot('compare-curves');
  });

  it('are ticked in the Runs view, and each has its norms', async () => {
    await workbench.runCommand('Kafscope: Tick Runs to Compare');
    const boxes = workbench.page
      .locator('.sidebar .monaco-list-row', { hasText: 'seed 0' })
      .locator('.monaco-checkbox');
    await until('both boxes', async () => (await boxes.count()) === 2);
    await workbench.screenshot('compare-boxes');
    for (const index of [0, 1]) await boxes.nth(index).click();
    await workbench.runCommand('View: Close All Editors');
    await workbench.runCommand('Kafscope: Compare Runs');
    const frame = await workbench.webviewWith('kaf-compare kaf-compare-curves kaf-line-chart');
    expect(await text(frame, 'kaf-compare h1')).toBe('2 of 2 runs');
    await frame.locator('kaf-tabs').getByText('Norms').click();
    await until('a card a layer', async () => (await textNow(frame, 'kaf-compare-curves .grid')).includes('layer1'));
    await workbench.screenshot('compare-norms');
    await frame.locator('kaf-tabs').getByText('Robustness').click();
    await until('what the runs came to', async () =>
      (await textNow(frame, 'kaf-compare-outcomes')).includes('Nothing was attacked'),
    );
  });

  it('are tabled, and the tab is kept over a reload of the window', async () => {
    const frame = await workbench.webviewWith('kaf-compare kaf-tabs');
    await frame.locator('kaf-tabs').getByText('Compare').click();
    await workbench.webviewWith('kaf-compare-table table');
    await workbench.screenshot('compare-table');
    await workbench.reload();
    const again = await workbench.webviewWith('kaf-compare kaf-compare-table table');
    await until('the table after the reload', async () =>
      (await textNow(again, 'kaf-compare-table table')).includes('20,000'),
    );
  });
});
