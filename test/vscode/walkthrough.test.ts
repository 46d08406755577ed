// The walkthrough in a real VS Code: its picture follows the theme of the window.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { themes, until, Workbench } from './workbench.ts';

let workbench: Workbench;
let folder: string;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-walkthrough-'));
  workbench = await Workbench.open({ folder, settings: { 'workbench.colorTheme': themes.dark.name } });
});

afterAll(async () => {
  await workbench.close();
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

it('each step of the walkthrough has its picture, in the theme of the window', async () => {
  await workbench.runCommand('Welcome: Open Walkthrough...');
  await workbench.page.locator('.quick-input-list .monaco-list-row', { hasText: 'First steps with Kafscope' }).click();
  const picture = workbench.page.locator('img[alt^="The Network tab of a run"]');
  await picture.waitFor();
  for (const [theme, name] of [
    ['dark', 'dark'],
    ['light', 'light'],
    ['high-contrast', 'dark'],
    ['high-contrast-light', 'light'],
  ] as const) {
    await workbench.useTheme(theme);
    await until(`the picture in ${theme}`, () =>
      picture.evaluate(
        (image: HTMLImageElement, shown) =>
          image.currentSrc.includes(`experiment-${shown}.png`) && image.complete && image.naturalWidth > 300,
        name,
      ),
    );
    await workbench.screenshot(`walkthrough-${theme}`);
  }
  expect([...workbench.offMachine]).toEqual([]);
});
