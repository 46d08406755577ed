// What was set in a dashboard, in a real VS Code: after closing it, and after a reload of the window, it is as it was.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { status } from './panelText.ts';
import { until, Workbench } from './workbench.ts';

const experiment = `name: kept
dataset: { name: shapes, trainSamples: 64, testSamples: 16 }
model:
  activation: { type: kaf, dictionary: 8 }
  network: { layers: [{ conv: 4 }, activation, global-average-pool, { dense: classes }] }
training: { epochs: 4, batchSize: 16 }
observe: { norms: 1, shapes: 1, test: 1 }
`;

interface Shown {
  readonly tab: string | null;
  readonly axis: string | null;
  readonly filter: string;
  readonly zoom: unknown;
  readonly first: string;
  readonly height: string;
}

let workbench: Workbench;
let folder: string;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-view-'));
  fs.writeFileSync(path.join(folder, 'kept.kaf.yaml'), experiment);
  workbench = await Workbench.open({ folder, settings: { 'workbench.colorTheme': 'Default Dark Modern' } });
});

afterAll(async () => {
  await workbench.screenshot('view-state-last');
  await workbench.close();
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

async function shown(frame: Frame): Promise<Shown> {
  const chart = frame.locator('kaf-curves-tab kaf-line-chart').first();
  return {
    tab: await frame.locator('[role=tab][aria-selected=true]').getAttribute('data-tab'),
    axis: await frame.locator('kaf-curves-tab [role=radio][aria-checked=true]').first().innerText(),
    filter: await frame.locator('kaf-curves-tab vscode-textfield input').inputValue(),
    zoom: await chart.evaluate((element) => (element as unknown as { range: unknown }).range),
    first: (await frame.locator('kaf-curves-tab .card h2').first().innerText()).split(/\s{2,}|\n/)[0] ?? '',
    height: await chart.evaluate((element) => (element as HTMLElement).style.height),
  };
}

async function openDashboard(): Promise<Frame> {
  await workbench.runCommand('Kafscope: Open Dashboard');
  return workbench.webviewWith('kaf-dashboard kaf-curves-tab kaf-line-chart');
}

describe('the view of a dashboard', () => {
  let before: Shown;

  it('is set', async () => {
    await workbench.openFile('kept.kaf.yaml');
    await workbench.page.locator('.codelens-decoration a', { hasText: 'Train' }).first().click();
    const frame = await workbench.webviewWith('kaf-dashboard kaf-curves-tab kaf-line-chart');
    await until('the end of the run', async () => (await status(frame)).startsWith('finished'));
    await frame.getByRole('radio', { name: 'epoch' }).click();
    await frame.getByRole('button', { name: 'Pin to the beginning: gradient norm' }).click();
    await frame.getByRole('separator', { name: 'Height of gradient norm' }).press('ArrowDown');
    await frame.locator('kaf-curves-tab vscode-textfield input').fill('a');
    await frame.locator('kaf-line-chart .frame').first().press('+');
    before = await shown(frame);
    expect(before).toMatchObject({ tab: 'curves', axis: 'epoch', filter: 'a', first: 'gradient norm' });
    expect(before.zoom).not.toBeNull();
    expect(before.height).toMatch(/^\d+px$/);
    await workbench.screenshot('view-state');
  });

  it('is as it was when the dashboard is opened again', async () => {
    await workbench.runCommand('View: Close All Editors');
    await until('the dashboard to be gone', async () => (await workbench.page.locator('.tab').count()) === 0);
    expect(await shown(await openDashboard())).toEqual(before);
  });

  it('is as it was after a reload of the window, and when it is opened again there', async () => {
    await workbench.reload();
    expect(await shown(await workbench.webviewWith('kaf-dashboard kaf-curves-tab kaf-line-chart'))).toEqual(before);
    await workbench.runCommand('View: Close All Editors');
    await until('the dashboard to be gone', async () => (await workbench.page.locator('.tab').count()) === 0);
    expect(await shown(await openDashboard())).toEqual(before);
  });
});
