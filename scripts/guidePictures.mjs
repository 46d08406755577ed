// Takes the pictures of docs/ and of the walkthrough from the gallery, in which every panel is drawn without VS Code: npm run pictures
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** By name in docs/pictures: the gallery's. */
export const pictures = {
  monitor: 'monitor-busy-dark-280',
  curves: 'dashboard-curves-busy-dark-1400',
  norms: 'dashboard-norms-busy-dark-1400',
  network: 'dashboard-network-busy-dark-1400',
  activations: 'dashboard-activations-busy-dark-1400',
  robustness: 'dashboard-robustness-finished-dark-1400',
  compare: 'compare-table-seeds-dark-1400',
  'compare-robustness': 'compare-robustness-seeds-dark-480',
  sweep: 'compare-cells-sweep-busy-dark-1400',
  diverged: 'dashboard-curves-diverged-dark-1400',
  unhealthy: 'dashboard-norms-unhealthy-dark-1400',
  checkpoint: 'checkpoint-model-file-dark-1400',
  'checkpoint-compared': 'checkpoint-model-compared-dark-1400',
  'learning-rate': 'learning-rate-done-dark-1400',
  dataset: 'dataset-pictures-dark-480',
};

/** By step in extension/walkthrough, as narrow as its pane, and by the theme in which it is shown. */
const walkthroughSteps = {
  experiment: ['dashboard-network-busy', 480],
  train: ['monitor-busy', 280],
  watch: ['dashboard-curves-busy', 480],
  attack: ['dashboard-robustness-finished', 480],
  compare: ['compare-table-seeds', 480],
};

export const walkthroughPictures = Object.fromEntries(
  Object.entries(walkthroughSteps).flatMap(([step, [shot, width]]) =>
    ['dark', 'light'].map((theme) => [`${step}-${theme}`, `${shot}-${theme}-${width}`]),
  ),
);

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

function take() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-pictures-'));
  try {
    const gallery = path.join(root, 'test/webview/gallery.mjs');
    const wanted = [
      ['docs/pictures', pictures],
      ['extension/walkthrough', walkthroughPictures],
    ].flatMap(([target, shots]) =>
      Object.entries(shots).map(([name, shot]) => ({ shot, file: path.join(root, target, `${name}.png`) })),
    );
    const only = wanted.map(({ shot }) => shot).join(',');
    const { status } = spawnSync(process.execPath, [gallery, folder, '--only', only], { stdio: 'inherit' });
    if (status !== 0) return 1;
    for (const { shot, file } of wanted) {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.copyFileSync(path.join(folder, `${shot}.png`), file);
    }
    return 0;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = take();
