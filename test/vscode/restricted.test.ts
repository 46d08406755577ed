// A stranger's folder in a real VS Code: while it is not trusted nothing in it is run or loaded and nothing outside of it is written,
// its past runs can be looked at, and once it is trusted everything is there.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newestLog } from '../../server/run/logFile.ts';
import { createScriptedRun, startScriptedRun } from '../run/scriptedRun.ts';
import { scriptedPlan } from '../run/scriptedTrainer.ts';
import { status, text } from './panelText.ts';
import { until, Workbench } from './workbench.ts';

let workbench: Workbench;
let scratch: string;
let folder: string;
/** Each trap writes its name here when it is run or loaded. */
let sprung: string;
let victim: string;

beforeAll(async () => {
  scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-restricted-'));
  folder = path.join(scratch, 'downloaded');
  sprung = path.join(scratch, 'sprung');
  victim = path.join(scratch, 'victim');
  fs.mkdirSync(sprung);
  fs.writeFileSync(victim, 'of somebody');
  const runsFolder = path.join(folder, '.kafscope/runs');
  await startScriptedRun(createScriptedRun(scriptedPlan('steps'), runsFolder).folder).ended;
  fs.symlinkSync(victim, path.join(runsFolder, 'server.log'));
  fs.writeFileSync(path.join(folder, 'mine.kaf.yaml'), 'name: mine\ndataset: shapes\nmodel: { network: light }\n');
  fs.writeFileSync(
    path.join(folder, 'folder.kaf.yaml'),
    'name: folder\ndataset: { name: folder, path: /etc }\nmodel: { network: light }\n',
  );
  setTraps();
  const settings = { 'workbench.colorTheme': 'Default Dark Modern' };
  workbench = await Workbench.open({ folder, isRestricted: true, settings });
});

afterAll(async () => {
  await workbench.screenshot('restricted-last');
  await workbench.close();
  fs.rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

function setTraps(): void {
  const trap = (name: string) => `#!/bin/sh\ntouch '${path.join(sprung, name)}'\n`;
  for (const venv of ['.venv', 'venv', '.kafscope/runs/.venv']) {
    const packages = path.join(folder, venv, 'lib/python3.12/site-packages');
    fs.mkdirSync(path.join(packages, 'tensorflow'), { recursive: true });
    fs.mkdirSync(path.join(packages, 'tensorflow-2.21.0.dist-info'));
    for (const library of ['framework', 'cc'])
      makeLibrary(path.join(packages, `tensorflow/libtensorflow_${library}.so.2`));
    fs.mkdirSync(path.join(packages, 'torch/lib'), { recursive: true });
    fs.mkdirSync(path.join(packages, 'torch-2.15.0.dist-info'));
    for (const library of ['c10', 'torch_cpu']) makeLibrary(path.join(packages, `torch/lib/lib${library}.so`));
    fs.mkdirSync(path.join(folder, venv, 'bin'));
    fs.writeFileSync(path.join(folder, venv, 'bin/python'), trap('python'), { mode: 0o755 });
  }
  for (const place of [folder, path.join(folder, '.kafscope/runs')]) {
    const module = path.join(place, 'node_modules/@tensorflow/tfjs-node/deps/lib');
    fs.mkdirSync(module, { recursive: true });
    for (const library of ['tensorflow_framework', 'tensorflow']) makeLibrary(path.join(module, `lib${library}.so.2`));
    fs.writeFileSync(path.join(place, 'pip.py'), `open(${JSON.stringify(path.join(sprung, 'pip'))}, 'w')`);
  }
  fs.mkdirSync(path.join(folder, '.vscode'));
  const settings = {
    'kafscope.tensorflow.path': path.join(folder, '.venv/bin/python'),
    'kafscope.torch.path': path.join(folder, '.venv/bin/python'),
    'python.defaultInterpreterPath': path.join(folder, '.venv/bin/python'),
    'kafscope.runtime': 'tensorflow',
  };
  fs.writeFileSync(path.join(folder, '.vscode/settings.json'), JSON.stringify(settings));
}

/** A library whose loading is noticed. */
function makeLibrary(file: string): void {
  const source = path.join(scratch, 'trap.c');
  const touched = JSON.stringify(path.join(sprung, 'library'));
  fs.writeFileSync(
    source,
    `#include <fcntl.h>\n__attribute__((constructor)) static void spring(void) { open(${touched}, O_CREAT | O_WRONLY, 0600); }\n`,
  );
  const compiled = spawnSync('cc', ['-shared', '-fPIC', '-o', file, source], { encoding: 'utf8' });
  if (compiled.status !== 0) throw new Error(`the trap was not made: ${compiled.error?.message ?? compiled.stderr}`);
}

/** Of a webview's body. */
const pageClasses = {
  dark: 'vscode-dark',
  light: 'vscode-light',
  'high-contrast': 'vscode-high-contrast',
  'high-contrast-light': 'vscode-high-contrast-light',
} as const;

function notification(words: string | RegExp) {
  return workbench.page.locator('.notification-list-item', { hasText: words });
}

/** Of Kafscope's runtime; VS Code's own says so, too. */
function runtimeItem(words: string) {
  return workbench.page.locator('[id="kafscope.kafscope.kafscope.runtime"]', { hasText: words });
}

describe('in a workspace that is not trusted', () => {
  it('past runs can be looked at', async () => {
    await workbench.page.locator('.activitybar').getByRole('tab', { name: 'Kafscope' }).click();
    const run = workbench.page.locator('.monaco-list-row', { hasText: 'seed 0' }).first();
    await run.waitFor();
    await run.click();
    const frame = await workbench.webviewWith('kaf-dashboard kaf-tabs');
    await until('the run', async () => (await status(frame)) === 'finished');
    expect(await text(frame, 'kaf-dashboard-header')).toContain('12');
    await workbench.screenshot('restricted-dashboard');
  });

  it.each(['light', 'high-contrast', 'high-contrast-light', 'dark'] as const)(
    'that it is restricted can be seen in the theme %s',
    async (theme) => {
      await workbench.useTheme(theme);
      await runtimeItem('restricted').waitFor();
      const frame = await workbench.webviewWith('kaf-dashboard kaf-tabs');
      await frame.locator(`body.${pageClasses[theme]}`).waitFor();
      await workbench.screenshot(`restricted-${theme}`);
    },
  );

  it('what would run something says why it does not', async () => {
    await runtimeItem('restricted').waitFor();
    await workbench.openFile('mine.kaf.yaml');
    // Installing and downloading are not even offered.
    const doings = { Train: 'train', 'Select Runtime…': 'try runtimes' };
    for (const [command, doing] of Object.entries(doings)) {
      await workbench.runCommand(`Kafscope: ${command}`);
      await notification(`Kafscope does not ${doing} in a workspace that is not trusted`).first().waitFor();
    }
    await workbench.screenshot('restricted-refused');
    expect(fs.readdirSync(path.join(folder, '.kafscope/runs')).filter((name) => name.includes('mine'))).toEqual([]);
  });

  it('of data sets the one that Kafscope makes is shown, and no folder is read', async () => {
    await workbench.openFile('mine.kaf.yaml');
    await workbench.runCommand('Kafscope: Show Dataset');
    const made = await workbench.webviewWith('kaf-dataset [data-class]');
    expect(await made.locator('[data-class]').count()).toBe(10);
    await workbench.openFile('folder.kaf.yaml');
    await workbench.runCommand('Kafscope: Show Dataset');
    const refused = await workbench.webviewWith('kaf-dataset kaf-face[tone=bad]');
    expect(await text(refused, 'kaf-dataset')).toContain('Trust the workspace');
    await workbench.screenshot('restricted-dataset');
  });

  it('nothing of it is run or loaded, and nothing outside of it is written', () => {
    expect(fs.readdirSync(sprung)).toEqual([]);
    expect(fs.readFileSync(victim, 'utf8')).toBe('of somebody');
    const ours = fs.readdirSync(path.join(folder, '.kafscope/runs')).filter((name) => name.startsWith('server.'));
    expect(ours).toEqual(['server.log']); // the link that was there
    const [run] = fs.readdirSync(path.join(folder, '.kafscope/runs')).filter((name) => name.includes('steps'));
    expect(newestLog(path.join(folder, '.kafscope/runs', run!))).toBe(0);
  });

  it('which is granted trust, everything is there without a reload, and its environment is looked at', async () => {
    await workbench.runCommand('Workspaces: Manage Workspace Trust');
    await workbench.page
      .locator('.workspace-trust-editor')
      .getByRole('button', { name: /^Trust/ })
      .first()
      .click();
    await runtimeItem('restricted').waitFor({ state: 'detached' });
    // The library of the workspace is loaded now, as it may: the trap does work.
    await until('the runtimes to be tried', () => Promise.resolve(fs.readdirSync(sprung).includes('library')));
    expect(fs.readFileSync(victim, 'utf8')).toBe('of somebody');
    await workbench.screenshot('restricted-trusted');
  });
});
