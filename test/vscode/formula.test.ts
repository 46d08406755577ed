// An activation function of one's own, in a real VS Code: typed, drawn in the hover, a mistake underlined at its place, trained, its
// curves watched, its checkpoint opened.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stepShown, text } from './panelText.ts';
import { themes, until, Workbench } from './workbench.ts';

const experiment = `name: own-function
dataset: { name: shapes, trainSamples: 64, testSamples: 16 }
model:
  network: light
  activation: { type: formula, formula: "x * sigmoid(b * x) + 0.1 * max(x, -1)", parameters: { b: 1 } }
training: { epochs: 2000, batchSize: 16 }
observe: { norms: 1, shapes: 1, test: 0 }
`;

let workbench: Workbench;
let folder: string;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-formula-'));
  fs.writeFileSync(path.join(folder, 'own.kaf.yaml'), experiment);
  workbench = await Workbench.open({ folder, settings: { 'workbench.colorTheme': 'Default Dark Modern' } });
});

afterAll(async () => {
  await workbench.screenshot('formula-last');
  await workbench.close();
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

describe('a formula in VS Code', () => {
  it.each(Object.keys(themes) as (keyof typeof themes)[])('is drawn in the hover, theme %s', async (theme) => {
    if (theme === 'dark') await workbench.openFile('own.kaf.yaml');
    await workbench.useTheme(theme);
    const line = workbench.page.locator('.monaco-editor .view-line', { hasText: 'sigmoid' }).first();
    await line.waitFor();
    const card = workbench.page.locator('.monaco-hover:visible img[src^="data:image/svg+xml"]').first();
    // The pointer comes anew, and stays twice as long each time: a slow machine needs its time.
    let staysMs = 1000;
    await until('the hover with the curves', async () => {
      staysMs *= 2;
      await workbench.page.mouse.move(5, 400);
      await line.getByText('sigmoid').first().hover();
      return card.waitFor({ state: 'visible', timeout: staysMs }).then(
        () => true,
        () => false,
      );
    });
    const size = await card.boundingBox();
    expect(size!.width).toBeGreaterThan(200);
    const said = await workbench.page.locator('.monaco-hover:visible').first().innerText();
    expect(said).toContain('Gain per layer after batch normalisation');
    expect(said).toContain('Not differentiable at x = −1');
    await workbench.screenshot(`formula-hover-${theme}`);
  });

  it('with a mistake is underlined there, until it is mended', async () => {
    await workbench.useTheme('dark');
    const file = path.join(folder, 'own.kaf.yaml');
    fs.writeFileSync(file, experiment.replace('sigmoid(', 'sigmod('));
    const squiggle = workbench.page.locator('.squiggly-error').first();
    await squiggle.waitFor();
    const [marked, word] = [
      await squiggle.boundingBox(),
      await workbench.page.locator('.view-line', { hasText: 'sigmod' }).getByText('sigmod').first().boundingBox(),
    ];
    // The mark lies within the text of the line, and is about a word wide, not the whole line.
    expect(marked!.width).toBeLessThan(word!.width / 3);
    await workbench.screenshot('formula-mistake');
    fs.writeFileSync(file, experiment);
    await until('the mistake to be gone', async () => (await workbench.page.locator('.squiggly-error').count()) === 0);
  });

  it('is trained, and its channels’ curves are watched', async () => {
    await workbench.page.locator('.codelens-decoration a', { hasText: 'Train' }).first().click();
    const frame = await workbench.webviewWith('kaf-dashboard kaf-tabs');
    await until('the first steps', async () => (await stepShown(frame)) >= 2);
    await frame.locator('[role=tab][data-tab=activations]').click();
    const tab = frame.locator('kaf-activations-tab');
    await tab.waitFor();
    await until('the equation', async () => (await text(frame, 'kaf-activations-tab')).includes('sigmoid(b * x)'));
    const row = async () => (await tab.locator('table tr', { hasText: /^\s*b\s/ }).innerText()).split(/\s+/);
    await until('b to move', async () => {
      const [, start, now] = await row();
      return start === '1.00' && now !== undefined && now !== start;
    });
    await workbench.screenshot('formula-activations');
  });
});
