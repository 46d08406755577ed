// A network declared layer by layer, in a real VS Code: a layer that doesn't fit underlined, trained, its picture watched, and the way from
// a layer to its norms, its curves and its line.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stepShown, text } from './panelText.ts';
import { themes, until, Workbench } from './workbench.ts';

const experiment = `name: own-network
dataset: { name: shapes, trainSamples: 64, testSamples: 16 }
model:
  activation: { type: kaf, dictionary: 8 }
  network:
    layers:
      - conv: 8
      - batch-norm
      - activation
      - residual:
          branch:
            - conv: 8
            - activation
      - concat:
          - - conv: { channels: 4, size: 1 }
          - - conv: { channels: 4, size: 5 }
      - global-average-pool
      - dense: classes
training: { epochs: 2000, batchSize: 16 }
observe: { norms: 1, shapes: 1, test: 0 }
`;

let workbench: Workbench;
let folder: string;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-network-'));
  fs.writeFileSync(path.join(folder, 'own.kaf.yaml'), experiment);
  workbench = await Workbench.open({ folder, settings: { 'workbench.colorTheme': 'Default Dark Modern' } });
});

afterAll(async () => {
  await workbench.screenshot('network-last');
  await workbench.close();
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

describe('a network of declared layers in VS Code', () => {
  it('is underlined at the layer that does not fit', async () => {
    const file = path.join(folder, 'own.kaf.yaml');
    fs.writeFileSync(file, experiment.replace('            - conv: 8', '            - conv: 9'));
    await workbench.openFile('own.kaf.yaml');
    await workbench.page.locator('.squiggly-error').first().waitFor();
    await workbench.screenshot('network-mistake');
    fs.writeFileSync(file, experiment);
    await until('the mistake to be gone', async () => (await workbench.page.locator('.squiggly-error').count()) === 0);
  });

  it('is drawn while it trains, in every theme', async () => {
    await workbench.page.locator('.codelens-decoration a', { hasText: 'Train' }).first().click();
    const frame = await workbench.webviewWith('kaf-dashboard kaf-tabs');
    await until('the first steps', async () => (await stepShown(frame)) >= 2);
    await frame.locator('[role=tab][data-tab=network]').click();
    await frame.locator('kaf-network-picture [data-name="concat1"]').waitFor();
    const names = await frame
      .locator('kaf-network-picture .layer')
      .evaluateAll((layers) => layers.map((layer) => (layer as HTMLElement).dataset['name']));
    expect(names).toEqual([
      'conv1',
      'bn1',
      'kaf1',
      'conv2',
      'kaf2',
      'sum1',
      'conv3',
      'conv4',
      'concat1',
      'pool1',
      'dense1',
    ]);
    await until('norms', async () => (await frame.locator('kaf-network-picture .value').count()) > 0);
    for (const theme of Object.keys(themes) as (keyof typeof themes)[]) {
      await workbench.useTheme(theme);
      await workbench.screenshot(`network-${theme}`);
    }
    await workbench.useTheme('dark');
  });

  it('leads from a layer to its curves, its norms and its line', async () => {
    const frame = await workbench.webviewWith('kaf-dashboard kaf-tabs');
    const network = frame.locator('[role=tab][data-tab=network]');
    const choose = async (name: string) => {
      await network.click();
      await frame.locator(`kaf-network-picture [data-name="${name}"]`).click();
      await until('the layer', async () => (await text(frame, 'kaf-network-tab .chosen')).startsWith(name));
    };
    await choose('kaf2');
    await frame.getByRole('button', { name: 'Show its curves' }).click();
    await until('its curves', async () => (await text(frame, 'kaf-activations-tab')).includes('kaf2'));
    await choose('conv4');
    await frame.getByRole('button', { name: 'Show its norms' }).click();
    await until('its norms', async () => (await text(frame, 'kaf-norms-tab')).includes('conv4 gradient norm'));
    await choose('conv4');
    await frame.getByRole('button', { name: 'Go to its line' }).click();
    const status = workbench.page.locator('#status\\.editor\\.selection');
    const line = experiment.split('\n').findIndex((each) => each.includes('size: 5')) + 1;
    await until('the line', async () => (await status.innerText()).startsWith(`Ln ${line},`));
    await workbench.screenshot('network-line');
  });
});
