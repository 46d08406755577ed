// A sweep in a real VS Code: begun by its lens, followed as one node of the Runs view and in its panel, compared from there.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, textNow } from './panelText.ts';
import { themes, until, Workbench } from './workbench.ts';

let workbench: Workbench;
let folder: string;

const experiment = `name: swept
runtime: wasm
dataset: { name: shapes, trainSamples: 16, testSamples: 8 }
model: { network: light }
training: { epochs: 1, batchSize: 8 }
observe: { robustSamples: 0 }
evaluation: [{ attack: pgd, steps: 2, restarts: 1, samples: 8 }]
matrix:
  model.activation: [relu, swish]
  seed: [0, 1]
`;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-sweep-'));
  fs.writeFileSync(path.join(folder, 'swept.kaf.yaml'), experiment);
  workbench = await Workbench.open({
    folder,
    settings: {
      'workbench.colorTheme': themes.dark.name,
      'workbench.hover.delay': 60_000,
      'kafscope.openDashboardOnTrain': false,
    },
  });
  await workbench.page.locator('.activitybar a[aria-label^="Kafscope"]').first().click();
});

afterAll(async () => {
  await workbench.screenshot('sweep-last');
  await workbench.close();
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

function row(label: string | RegExp): Locator {
  return workbench.page.locator('.sidebar .monaco-list-row', { hasText: label }).first();
}

async function press(at: Locator, action: string): Promise<void> {
  await at.hover();
  await at.locator(`.action-label[aria-label^="${action}"]`).click();
}

describe('a sweep in VS Code', () => {
  it('is begun by its lens, which says of how many runs', async () => {
    await workbench.openFile('swept.kaf.yaml');
    await workbench.page.locator('.codelens-decoration a', { hasText: 'Start sweep of 4 runs' }).first().click();
    await row(/^swept\s*sweep · /).waitFor();
  });

  it('is one node of the Runs view, whose runs have the names of their cells, until all are done', async () => {
    await row(/sweep · 4 of 4 done/).waitFor();
    for (const cell of ['relu · seed 0', 'relu · seed 1', 'swish · seed 0', 'swish · seed 1'])
      await row(cell).waitFor();
    for (const theme of Object.keys(themes) as (keyof typeof themes)[]) {
      await workbench.useTheme(theme);
      await workbench.screenshot(`sweep-${theme}`);
    }
    await workbench.useTheme('dark');
  });

  it('opens its panel by a click on its node: every cell, how far it is, and its runs’ settings side by side', async () => {
    await row(/sweep · 4 of 4 done/)
      .locator('.label-name')
      .click();
    const frame = await workbench.webviewWith('kaf-compare kaf-sweep-cells tbody tr');
    await until('all four in the header', async () =>
      /^4 of 4 done · .* on the disk$/.test((await textNow(frame, 'kaf-sweep-header p')).trim()),
    );
    expect(await text(frame, 'kaf-sweep-header h1')).toBe('swept');
    const table = await textNow(frame, 'kaf-sweep-cells table');
    for (const cell of ['relu · seed 0', 'relu · seed 1', 'swish · seed 0', 'swish · seed 1'])
      expect(table).toContain(cell);
    for (const theme of Object.keys(themes) as (keyof typeof themes)[]) {
      await workbench.useTheme(theme);
      await workbench.screenshot(`sweep-panel-${theme}`);
    }
    await workbench.useTheme('dark');
    await frame.locator('kaf-tabs').getByText('Compare').click();
    await until('both activations in the table', async () =>
      /relu.*2.*swish.*2|swish.*2.*relu.*2/s.test(await textNow(frame, 'kaf-compare-table table')),
    );
    await frame.locator('kaf-tabs').getByText('Curves').click();
    await frame.locator('kaf-compare-curves .card').first().waitFor();
    await workbench.screenshot('sweep-curves');
    await frame.locator('kaf-tabs').getByText('Robustness').click();
    await until('what stands of both activations', async () =>
      /PGD-2-1 8\/255.*by step.*relu \(2\).*swish \(2\)/s.test(await textNow(frame, 'kaf-compare-outcomes')),
    );
    await workbench.screenshot('sweep-robustness');
    await frame.locator('kaf-tabs').getByText('Shift').click();
    await until('how far their layers shift', async () =>
      /relative shift.*relu \(2\).*swish \(2\)/s.test(await textNow(frame, 'kaf-compare-outcomes')),
    );
    await workbench.screenshot('sweep-shift');
  });

  it('opens the dashboard of a cell from its row', async () => {
    const frame = await workbench.webviewWith('kaf-compare kaf-tabs');
    await frame.locator('kaf-tabs').getByText('Cells').click();
    await frame.getByRole('button', { name: 'swish · seed 1' }).click();
    const dashboard = await workbench.webviewWith('kaf-dashboard kaf-dashboard-header h1');
    expect(await text(dashboard, 'kaf-dashboard-header h1')).toBe('swept · seed 1');
  });

  it('is compared from its node as chosen runs are', async () => {
    await press(row(/sweep · 4 of 4 done/), 'Compare Runs');
    const frame = await workbench.webviewWith('kaf-compare kaf-compare-curves');
    expect(await text(frame, 'kaf-compare h1')).toBe('4 of 4 runs');
  });

  it('is offered where such a file is trained', async () => {
    await workbench.page.locator('.tab', { hasText: 'swept.kaf.yaml' }).click();
    await workbench.runCommand('Kafscope: Train');
    const dialog = workbench.page.locator('.monaco-dialog-box');
    await dialog.getByText('has a matrix').first().waitFor();
    await dialog.getByText('Start Sweep').click();
    await workbench.page.locator('.notification-toast', { hasText: 'swept.kaf.yaml: sweep' }).first().waitFor();
  });
});
