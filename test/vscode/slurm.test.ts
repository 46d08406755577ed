// A sweep given to Slurm from a real VS Code, with commands that stand in for Slurm's.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { textNow } from './panelText.ts';
import { themes, until, Workbench } from './workbench.ts';

let workbench: Workbench;
let folder: string;
const shellBefore = process.env['SHELL'];

const experiment = `name: swept
runtime: wasm
dataset: { name: shapes, trainSamples: 16, testSamples: 8 }
model: { network: light }
training: { epochs: 1, batchSize: 8 }
matrix: {seed: [0, 1, 2]}
`;

/** One job, whose first element is held up by others, the next two by the limit; nothing once it was cancelled. */
const commands = {
  sbatch: `for one in "$@"; do printf '%s\\n' "$one"; done >"$here/sbatch.asked"; echo 4711`,
  squeue: `[ -f "$here/sbatch.asked" ] && [ ! -f "$here/scancel.asked" ] || exit 0
name=$(sed -n 's/^--job-name=//p' "$here/sbatch.asked")
printf '4711_%s||0:00|%s\\n' '0|PENDING|Priority' "$name" '1|PENDING|JobArrayTaskLimit' "$name" '2|PENDING|JobArrayTaskLimit' "$name"`,
  bash: `PATH=$here:$PATH exec /bin/bash --noprofile --norc "$@"`,
  scancel: `printf '%s\\n' "$@" >"$here/scancel.asked"`,
};

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-slurm-code-'));
  fs.mkdirSync(path.join(folder, 'bin'));
  fs.mkdirSync(path.join(folder, 'work/.vscode'), { recursive: true });
  for (const [name, script] of Object.entries(commands))
    fs.writeFileSync(path.join(folder, 'bin', name), `#!/bin/sh\nhere=${folder}/bin\n${script}\n`, { mode: 0o755 });
  fs.writeFileSync(path.join(folder, 'work/swept.kaf.yaml'), experiment);
  // A workspace has no say in it.
  const ofWorkspace = { 'kafscope.slurm': { setup: ['touch /tmp/kafscope-workspace-setup'] } };
  fs.writeFileSync(path.join(folder, 'work/.vscode/settings.json'), JSON.stringify(ofWorkspace));
  // VS Code takes its path from what the user's shell says.
  process.env['SHELL'] = path.join(folder, 'bin/bash');
  process.env['XDG_CACHE_HOME'] = path.join(folder, 'cache');
  workbench = await Workbench.open({
    folder: path.join(folder, 'work'),
    settings: {
      'workbench.colorTheme': themes.dark.name,
      'workbench.hover.delay': 60_000,
    },
  });
  const settings = path.join(path.dirname(workbench.userFolder), 'xdg/kafscope/slurm.yaml');
  fs.mkdirSync(path.dirname(settings), { recursive: true });
  fs.writeFileSync(settings, 'partition: main\nsetup: [module load node]\ncomputesHere: true\n');
  await workbench.page.locator('.activitybar a[aria-label^="Kafscope"]').first().click();
});

afterAll(async () => {
  if (shellBefore === undefined) delete process.env['SHELL'];
  else process.env['SHELL'] = shellBefore;
  delete process.env['XDG_CACHE_HOME'];
  await workbench.screenshot('slurm-last');
  await workbench.close();
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

function row(label: string | RegExp): Locator {
  return workbench.page.locator('.sidebar .monaco-list-row', { hasText: label }).first();
}

const asked = (command: string) => path.join(folder, 'bin', `${command}.asked`);

describe('a sweep and a Slurm cluster', () => {
  it('are brought together by a choice, which the user’s own settings make and no workspace’s', async () => {
    await workbench.openFile('swept.kaf.yaml');
    await workbench.page.locator('.codelens-decoration a', { hasText: 'Start sweep of 3 runs' }).first().click();
    const choice = workbench.page.locator('.quick-input-list .monaco-list-row', { hasText: 'On Slurm' }).first();
    await choice.waitFor();
    await workbench.page
      .locator('.quick-input-list .monaco-list-row', { hasText: 'On this machine' })
      .first()
      .waitFor();
    await workbench.screenshot('slurm-choice');
    await choice.click();
    await until('the sweep to be submitted', () => Promise.resolve(fs.existsSync(asked('sbatch'))));
    const args = fs.readFileSync(asked('sbatch'), 'utf8').split('\n');
    expect(args).toEqual(expect.arrayContaining(['--array=0-2', '--partition=main', '--job', 'slurm', '--cell']));
    const script = fs.readFileSync(
      args.find((one) => one.endsWith('.sh'))!,
      'utf8',
    );
    expect(script).toContain('\nmodule load node\nexec ');
    expect(script).not.toContain('touch');
  });

  it('show in the Runs view and in the panel why the runs wait, and the sweep is taken back from there', async () => {
    await row(/sweep · 0 of 3 done · 3 wait: as many as may run at once do \(JobArrayTaskLimit\)/).waitFor();
    const frame = await workbench.webviewWith('kaf-compare kaf-sweep-cells tbody tr');
    await until('the reasons in the panel', async () =>
      (await textNow(frame, 'kaf-sweep-cells table')).includes('Slurm 4711_0: others are before it (Priority)'),
    );
    for (const theme of Object.keys(themes) as (keyof typeof themes)[]) {
      await workbench.useTheme(theme);
      await workbench.screenshot(`slurm-waits-${theme}`);
    }
    const node = row(/sweep · 0 of 3 done/);
    await node.hover();
    expect(await node.locator('.action-label[aria-label^="Pause"]').count()).toBe(0);
    await node.locator('.action-label[aria-label^="Stop"]').click();
    await until('the elements to be cancelled', () => Promise.resolve(fs.existsSync(asked('scancel'))));
    expect(fs.readFileSync(asked('scancel'), 'utf8')).toMatch(
      /^--user=.*\n--name=kafscope-swept-[0-9a-f]{12}\n4711_0\n4711_1\n4711_2\n$/,
    );
    await row(/sweep · 0 of 3 done$/).waitFor();
  });
});
