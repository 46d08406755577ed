// A learning rate is found in a real VS Code: by the code lens, moved by the keyboard, and written into the file's editor, where its
// comments stay.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { textNow } from './panelText.ts';
import { themes, until, Workbench } from './workbench.ts';

let workbench: Workbench;
let folder: string;

const experiment = `name: found
runtime: wasm
dataset: { name: shapes, trainSamples: 64, testSamples: 8 }
model: { network: light, activation: relu }
training:
  batchSize: 8
  schedule: { type: triangular, min: 0.5, max: 0.6 } # mine
observe: { robustSamples: 0 }
`;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-rate-'));
  fs.writeFileSync(path.join(folder, 'found.kaf.yaml'), experiment);
  workbench = await Workbench.open({ folder, settings: { 'workbench.colorTheme': 'Default Dark Modern' } });
});

afterAll(async () => {
  await workbench.screenshot('learning-rate-last');
  await workbench.close();
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

describe('the learning rate of an experiment', () => {
  it('is swept by the lens, and its curve and handles are there, in every theme', async () => {
    await workbench.openFile('found.kaf.yaml');
    await workbench.page.locator('.codelens-decoration a', { hasText: 'Find learning rate' }).first().click();
    const frame = await workbench.webviewWith('kaf-learning-rate');
    await frame.locator('kaf-learning-rate [data-intent=apply]').waitFor();
    expect(await textNow(frame, 'kaf-learning-rate')).toContain('Learning rate of found.kaf.yaml');
    expect(await frame.locator('kaf-learning-rate kaf-line-chart').count()).toBe(1);
    for (const theme of Object.keys(themes) as (keyof typeof themes)[]) {
      await workbench.useTheme(theme);
      await workbench.screenshot(`learning-rate-${theme}`);
    }
    await workbench.useTheme('dark');
  });

  it('is moved by the keyboard, and written into the editor with its comments', async () => {
    const frame = await workbench.webviewWith('kaf-learning-rate');
    const shown = () => frame.locator('kaf-learning-rate output').allInnerTexts();
    const [, before] = await shown();
    await frame.locator('kaf-learning-rate #max').focus();
    await workbench.page.keyboard.press('ArrowLeft');
    await until('another maximum', async () => (await shown())[1] !== before);
    await frame.locator('kaf-learning-rate [data-intent=apply]').click();
    await until('that it was written', async () =>
      (await textNow(frame, 'kaf-learning-rate')).includes('Written into the editor'),
    );
    const [min, max] = (await shown()).map((text) => Number(text.replace('−', '-')));
    await workbench.runCommand('File: Save All');
    const schedule = `schedule: { type: triangular, min: ${String(min)}, max: ${String(max)} } # mine`;
    await until('the rates in the file', () =>
      Promise.resolve(fs.readFileSync(path.join(folder, 'found.kaf.yaml'), 'utf8').includes(schedule)),
    );
  });
});
