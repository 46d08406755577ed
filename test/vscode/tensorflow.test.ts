// TensorFlow in a real VS Code, with stand-ins for the Python extension and for pip: what is found, installed, cancelled and refused.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakePip, makeZip } from '../tensor/tensorflow/wheels.ts';
import { until, Workbench } from './workbench.ts';

let workbench: Workbench;
let scratch: string;
/** While it is there, pip fails. */
let offline: string;

beforeAll(async () => {
  scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-tensorflow-'));
  const folder = path.join(scratch, 'workspace');
  fs.mkdirSync(folder);
  offline = path.join(scratch, 'offline');
  const environment = makeEnvironment(path.join(scratch, 'conda'));
  const { python: interpreter } = fakePip(
    path.join(environment, 'bin'),
    {},
    {
      download: `if [ -f '${offline}' ]; then echo 'ERROR: there is no network' >&2; exit 1; fi
echo half > "$dest"/half; exec tail -f /dev/null`,
    },
  );
  const python = path.join(scratch, 'python.vsix');
  fs.writeFileSync(python, pythonExtension(interpreter));
  workbench = await Workbench.open({
    folder,
    extensions: [python],
    settings: { 'workbench.colorTheme': 'Default Dark Modern' },
  });
  await workbench.page.locator('.activitybar a[aria-label^="Kafscope"]').first().waitFor();
});

afterAll(async () => {
  await workbench.screenshot('tensorflow-last');
  await workbench.close();
  fs.rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

/** A Python environment with a TensorFlow whose libraries are none. */
function makeEnvironment(folder: string): string {
  const packages = path.join(folder, 'lib/python3.12/site-packages');
  fs.mkdirSync(path.join(folder, 'bin'), { recursive: true });
  const files = [
    path.join(packages, 'tensorflow_cpu-2.21.0.dist-info/METADATA'),
    path.join(packages, 'tensorflow/libtensorflow_cc.so.2'),
    path.join(packages, 'tensorflow/libtensorflow_framework.so.2'),
  ];
  for (const file of files) {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, 'none');
  }
  return folder;
}

/** An extension with the id and the interface of the Python extension, which comes up only when it is asked to. */
function pythonExtension(interpreter: string): Buffer {
  const chosen = JSON.stringify({ id: interpreter, path: interpreter });
  return makeZip({
    'extension/package.json': JSON.stringify({
      ...{ name: 'python', publisher: 'ms-python', version: '2026.1.0', main: './main.js' },
      ...{ engines: { vscode: '^1.90.0' }, activationEvents: [] },
    }),
    'extension/main.js': `exports.activate = () => ({ environments: { getActiveEnvironmentPath: () => (${chosen}) } });`,
  });
}

/** What Kafscope keeps of a user on this machine. */
function dataFolder(): string {
  return path.join(path.dirname(workbench.userFolder), 'xdg/kafscope');
}

function notification(words: string | RegExp) {
  return workbench.page.locator('.notification-list-item', { hasText: words });
}

/** Notifications move while others come and go, and a click by the pointer may miss: pressed where it is, again until it acts. */
async function pressUntil(what: string, button: Locator, isDone: () => Promise<boolean>): Promise<void> {
  await until(what, async () => {
    await button.evaluateAll((found: HTMLElement[]) => {
      for (const each of found) each.click();
    });
    return isDone();
  });
}

/** The notification goes when it is told to, its process when it has tidied up. */
async function cancel(progress: Locator): Promise<void> {
  await pressUntil('nothing to be left', progress.getByRole('button', { name: 'Cancel' }), () =>
    Promise.resolve(!fs.readdirSync(dataFolder()).some((name) => name.startsWith('tensorflow'))),
  );
}

async function install(): Promise<void> {
  await workbench.runCommand('Kafscope: Install TensorFlow…');
  await workbench.page.locator('.quick-input-list .monaco-list-row', { hasText: 'For the CPU' }).click();
}

describe('TensorFlow in VS Code', () => {
  it('is looked for in the environment that the Python extension has chosen', async () => {
    const { page } = workbench;
    await workbench.runCommand('Kafscope: Select Runtime…');
    const row = page.locator('.quick-input-list .monaco-list-row', { hasText: 'tensorflow' });
    await row.waitFor();
    const place = path.join(scratch, 'conda/lib/python3.12/site-packages/tensorflow');
    expect(await row.innerText()).toContain(`TensorFlow 2.21.0 in ${place} can't be loaded`);
    await workbench.screenshot('tensorflow-runtimes');
    await page.keyboard.press('Escape');
  });

  it('shows how far its installation is, once, and leaves nothing of one that is cancelled', async () => {
    await install();
    const progress = notification(/tensorflow-cpu 2\.\d+\.\d+, downloading: 0 of 274 MB/);
    await progress.waitFor();
    expect(fs.readdirSync(dataFolder()).filter((name) => name.startsWith('tensorflow.partial-'))).toHaveLength(1);
    await workbench.runCommand('Kafscope: Install TensorFlow…');
    await notification('TensorFlow is being installed').first().waitFor();
    await workbench.screenshot('tensorflow-installing');
    await cancel(progress);
    expect(await notification('Could not install').count()).toBe(0);
  });

  it('says why it could not be installed, and tries again', async () => {
    fs.writeFileSync(offline, '');
    await install();
    const failure = notification(/Could not install TensorFlow: pip could not download .*: there is no network\./);
    await failure.waitFor();
    await workbench.screenshot('tensorflow-failed');
    fs.rmSync(offline);
    const progress = notification(/downloading/);
    await pressUntil('the second try', failure.getByRole('button', { name: 'Retry' }), () => progress.isVisible());
    await cancel(progress);
  });
});
