// What an experiment's evaluations show in a real VS Code: the attacked pictures, the audit, a certificate by layer, a detector's curves.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { status, textNow } from './panelText.ts';
import { until, Workbench } from './workbench.ts';

let workbench: Workbench;
let folder: string;

const experiment = `name: judged
runtime: wasm
dataset: { name: shapes, trainSamples: 64, testSamples: 16 }
model: { network: light, activation: { type: kaf, dictionary: 10 } }
training: { epochs: 1, batchSize: 16 }
observe: { robustSamples: 0 }
evaluation:
  - { attack: pgd, steps: 2, restarts: 1, epsilon: 8/255, samples: 16, keep: 8 }
  - { attack: lipschitz, samples: 16 }
  - { attack: density, samples: 16, fit: 30 }
`;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-judged-'));
  fs.writeFileSync(path.join(folder, 'judged.kaf.yaml'), experiment);
  workbench = await Workbench.open({ folder, settings: { 'workbench.colorTheme': 'Default Dark Modern' } });
});

afterAll(async () => {
  await workbench.screenshot('evaluations-last');
  await workbench.close();
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

describe('the evaluations of an experiment', () => {
  it('are in the Robustness tab when the run has ended, each with what it has to show', async () => {
    await workbench.openFile('judged.kaf.yaml');
    await workbench.page.locator('.codelens-decoration a', { hasText: 'Train' }).first().click();
    const frame = await workbench.webviewWith('kaf-dashboard kaf-tabs');
    await until('the run to end', async () => (await status(frame)) === 'finished');
    await frame.locator('[role=tab][data-tab=robustness]').click();
    // The newest first: the detector.
    await frame.locator('kaf-detector-card').waitFor();
    expect(await textNow(frame, 'kaf-detector-card')).toContain('PGD-2-1 8/255');
    const rows = frame.locator('kaf-evaluations-table tr.row');
    expect(await rows.count()).toBe(3);

    await rows.nth(1).click();
    await frame.locator('kaf-layer-bounds').waitFor();
    const bounds = await textNow(frame, 'kaf-layer-bounds');
    for (const layer of ['conv1', 'kaf1', 'dense1']) expect(bounds).toContain(layer);
    expect(await textNow(frame, 'kaf-evaluations-table')).toContain('≥');

    await rows.nth(0).click();
    await frame.locator('kaf-audit-card').waitFor();
    await frame.locator('kaf-attacked-images kaf-picture-strip').first().waitFor();
    expect(await frame.locator('kaf-evaluations-table tr.chosen').count()).toBe(1);
    await workbench.screenshot('evaluations');
  });
});
