// The panel that shows an experiment's data set, in a real VS Code: the built-in one by the command, a folder by the code lens, with a
// broken picture named, and once that is gone.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shapesClasses } from '../../server/protocol/datasets.ts';
import { makePng } from '../data/makePng.ts';
import { textNow } from './panelText.ts';
import { pressAgainMs, themes, until, Workbench } from './workbench.ts';

let workbench: Workbench;
let folder: string;
let broken: string;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-dataset-'));
  fs.writeFileSync(path.join(folder, 'made.kaf.yaml'), 'name: made\ndataset: shapes\nmodel: { network: light }\n');
  fs.writeFileSync(
    path.join(folder, 'own.kaf.yaml'),
    'name: own\ndataset:\n  name: folder\n  path: pictures\n  size: 16\nmodel: { network: light }\n',
  );
  fs.writeFileSync(path.join(folder, 'far.kaf.yaml'), 'dataset: { name: mnist, path: far away }\n');
  for (const [index, name] of ['cat', 'dog'].entries()) {
    fs.mkdirSync(path.join(folder, 'pictures', name), { recursive: true });
    for (let n = 0; n < 6; n++)
      fs.writeFileSync(path.join(folder, 'pictures', name, `${n}.png`), makePng(20, 20, [200 * index, 30 * n, 90]));
  }
  broken = path.join(folder, 'pictures/dog/broken.png');
  fs.writeFileSync(broken, 'no picture');
  process.env['XDG_CACHE_HOME'] = path.join(folder, '.cache'); // the server's, too
  workbench = await Workbench.open({ folder, settings: { 'workbench.colorTheme': 'Default Dark Modern' } });
});

afterAll(async () => {
  await workbench.screenshot('dataset-last');
  await workbench.close();
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

describe('the data set of an experiment', () => {
  it('is shown by the command, with a card for each of the ten classes of shapes, in every theme', async () => {
    await workbench.openFile('made.kaf.yaml');
    await workbench.runCommand('Kafscope: Show Dataset');
    const frame = await workbench.webviewWith('kaf-dataset [data-class]');
    const names = await frame.locator('kaf-dataset [data-class] .name').allInnerTexts();
    expect(names).toEqual([...shapesClasses]);
    expect(await textNow(frame, 'kaf-dataset')).toContain('10,000 training');
    // Drawn, and not left black by the page's policy.
    const brightest = await frame
      .locator('kaf-picture-strip canvas')
      .first()
      .evaluate((canvas: HTMLCanvasElement) => {
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
        return data.reduce((most, value, at) => (at % 4 === 3 ? most : Math.max(most, value)), 0);
      });
    expect(brightest).toBeGreaterThan(100);
    for (const theme of Object.keys(themes) as (keyof typeof themes)[]) {
      await workbench.useTheme(theme);
      await workbench.screenshot(`dataset-${theme}`);
    }
    await workbench.useTheme('dark');
  });

  it('that has a broken picture is refused by its name, and shown by another look once it is removed', async () => {
    await workbench.openFile('own.kaf.yaml');
    await workbench.page.locator('.codelens-decoration a', { hasText: 'Show dataset' }).last().click();
    const frame = await workbench.webviewWith('kaf-dataset kaf-face[tone=bad]');
    expect(await textNow(frame, 'kaf-dataset')).toContain(`${broken} is damaged`);
    await workbench.screenshot('dataset-broken');
    fs.rmSync(broken);
    await frame.locator('[data-intent=reload]').click();
    await until('the classes', async () => (await frame.locator('[data-class]').count()) === 2);
    expect(await textNow(frame, 'kaf-dataset')).toContain(path.join(folder, 'pictures'));
    await workbench.screenshot('dataset-folder');
  });

  it('that is not on this machine is underlined with what can be done, until it is there', async () => {
    const { page } = workbench;
    await workbench.openFile('far.kaf.yaml');
    const underlined = page.locator('.squiggly-warning').first();
    await underlined.waitFor();
    await page.locator('.view-line', { hasText: 'far away' }).getByText('away').first().click();
    const fix = page.locator('.action-widget', { hasText: 'Choose where MNIST lies…' });
    await until('the quick fixes', async () => {
      await page.keyboard.press('Control+.');
      return fix.waitFor({ timeout: pressAgainMs }).then(
        () => true,
        () => false,
      );
    });
    expect(await fix.innerText()).toContain(`Download MNIST (11 MiB) into ${path.join(folder, 'far away')}`);
    await workbench.screenshot('dataset-missing');
    await page.keyboard.press('Escape');
    fs.mkdirSync(path.join(folder, 'far away'));
    await underlined.waitFor({ state: 'detached' });
  });
});
