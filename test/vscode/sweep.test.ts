// A sweep in a real VS Code: begun by its lens, followed as one node of the Runs view, compared and tabled from there.
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
matrix:
  model.activation: [relu, swish]
  seed: [0, 1]
`;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-sweep-'));
  fs.writeFileSync(path.join(folder, 'swept.kaf.yaml'), experiment);
  workbench = await Workbench.open({
    folder,
    settings: { 'workbench.colorTheme': themes.dark.name, 'workbench.hover.delay': 60_000 },
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

  it('is compared from its node, its seeds together', async () => {
    await press(row(/sweep · 4 of 4 done/), 'Compare Runs');
    const frame = await workbench.webviewWith('kaf-compare kaf-compare-curves');
    expect(await text(frame, 'kaf-compare h1')).toBe('4 of 4 runs');
    await frame.locator('kaf-tabs').getByText('Compare').click();
    await workbench.webviewWith('kaf-compare-table table');
    await until('both activations in the table', async () =>
      /relu.*swish|swish.*relu/.test(await textNow(frame, 'kaf-compare-table table')),
    );
    await workbench.screenshot('sweep-compare');
  });

  it('is tabled as a page of Markdown', async () => {
    await press(row(/sweep · 4 of 4 done/), 'Show Sweep Table');
    const frame = await workbench.webviewWith('.markdown-body table, body.vscode-body table');
    expect(await text(frame, 'table')).toMatch(/relu.*swish/);
    await workbench.screenshot('sweep-table');
  });
});
