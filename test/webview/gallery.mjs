// Pictures of every panel in every state, taken in Chromium without VS Code, and what opening and updating large runs costs (gallery/measure.mjs).
//   node scripts/node24.mjs test/webview/gallery.mjs FOLDER [--only PART-OF-NAME,PART…] [--check [PART-OF-A-CHECK]] [--measure [PART-OF-A-NAME]]
import esbuild from 'esbuild';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { guardMs } from '../../scripts/codeServer.mjs';
import { checkInteractions } from './gallery/interactions.mjs';
import { measure } from './gallery/measure.mjs';
import { drawn } from './gallery/posted.mjs';
import { themes, themeSheet } from './gallery/themes.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const folder = process.argv[2];
if (!folder || folder.startsWith('--'))
  throw new Error('usage: gallery.mjs FOLDER [--only PART-OF-NAME] [--check] [--measure [PART-OF-A-NAME]]');
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : '';
const afterCheck = process.argv[process.argv.indexOf('--check') + 1] ?? '';
const checked = afterCheck.startsWith('--') ? '' : afterCheck;
const afterMeasure = process.argv[process.argv.indexOf('--measure') + 1] ?? '';
const measured = afterMeasure.startsWith('--') ? '' : afterMeasure;
const executablePath = process.env.KAFSCOPE_CHROMIUM ?? '/usr/lib/chromium/chromium';
const browserFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

// As strict as the extension's own pages.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:";

const files = await bundle();
const server = http.createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  if (url.pathname === '/') {
    const theme = url.searchParams.get('theme') ?? 'dark';
    const panel = url.searchParams.get('panel') ?? 'dashboard';
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.setHeader('Content-Security-Policy', policy);
    response.end(page(panel, theme));
    return;
  }
  const file = files.get(url.pathname);
  if (!file) {
    response.statusCode = url.pathname === '/favicon.ico' ? 204 : 404;
    response.end();
    return;
  }
  response.setHeader('Content-Type', file.type);
  response.end(file.contents);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
const browser = await chromium.launch({ executablePath, args: browserFlags, timeout: guardMs });
/** By what was looked at. @type {Map<string, string[]>} */
const troubles = new Map();
try {
  fs.mkdirSync(folder, { recursive: true });
  const parts = only.split(',');
  const waiting = states()
    .map((state) => ({ ...state, shots: state.shots.filter(({ name }) => parts.some((part) => name.includes(part))) }))
    .filter((state) => state.shots.length > 0);
  const takeOnes = async () => {
    for (let state = waiting.shift(); state; state = waiting.shift()) await take(state);
  };
  await Promise.all(Array.from({ length: Math.min(4, os.availableParallelism()) }, takeOnes));
  if (process.argv.includes('--check')) await checkInteractions(openPage, checked, tell);
  if (process.argv.includes('--measure'))
    console.log(JSON.stringify(await measure(openPage, browser, measured), null, 2));
} finally {
  await browser.close();
  server.close();
}
const failed = [...troubles].filter(([, told]) => told.length > 0);
for (const [name, told] of failed) console.error(`${name}\n  ${told.join('\n  ')}`);
const failures = failed.map(([name, told]) => ({ name, told }));
fs.writeFileSync(path.join(folder, 'looked.json'), JSON.stringify({ passed: troubles.size - failed.length, failures }));
process.exitCode = failed.length > 0 ? 1 : 0;

/** What was looked at, and what is wrong with it; nothing, if all is well. */
function tell(name, trouble) {
  const told = troubles.get(name) ?? [];
  troubles.set(name, told);
  if (trouble === undefined) console.log(name);
  else told.push(trouble instanceof Error ? (trouble.stack ?? trouble.message) : String(trouble));
}

/** Of each panel, with the pictures to be taken of it. */
function states() {
  const shapes = [
    ...['kaf-free', 'kaf-relu', 'kaf-softplus', 'kaf-rational-quadratic', 'multi-kaf', 'kaf-2d'],
    ...['spline', 'formula', 'prelu', 'srelu', 'apl', 'pade'],
  ];
  const result = [];
  const add = (panel, scene, view, options = {}) => {
    const { themes: inThemes = ['dark', 'light'], widths = [1400, 480], suffix = scene, act } = options;
    const part = [panel, view.tab ?? view.section, suffix].filter(Boolean).join('-');
    const shots = inThemes.flatMap((theme) =>
      widths.map((width) => ({ name: `${part}-${theme}-${width}`, theme, width })),
    );
    const state = { panel, scene, view, act };
    // What was done in a page is done anew in each.
    if (act) result.push(...shots.map((shot) => ({ ...state, shots: [shot] })));
    else result.push({ ...state, shots });
  };
  for (const tab of ['curves', 'norms', 'network', 'activations', 'shift']) {
    add('dashboard', 'busy', { tab }, { themes: Object.keys(themes) });
    add('dashboard', 'busy', { tab }, { themes: ['dark'], widths: [360, 1000] });
    add('dashboard', 'empty', { tab });
    add('dashboard', 'disconnected', { tab }, { themes: ['dark'] });
    add('dashboard', 'diverged', { tab }, { themes: ['dark'], widths: [1400] });
    if (tab === 'curves') add('dashboard', 'collapsed', { tab }, { themes: Object.keys(themes) });
  }
  add('dashboard', 'busy', { tab: 'norms', normView: 'lines', grouping: 'tensors' }, { suffix: 'lines' });
  add('dashboard', 'busy', { tab: 'norms', quantity: 'update', grouping: 'tensors' }, { suffix: 'updates' });
  add('dashboard', 'busy', { tab: 'activations', order: 'alike' }, { suffix: 'alike', widths: [1400] });
  add(
    'dashboard',
    'declared',
    { runId: 'kaf-vgg-1', tab: 'network', networkLayer: 'concat1' },
    { themes: Object.keys(themes) },
  );
  add('dashboard', 'declared', { tab: 'network' }, { themes: ['dark'], widths: [360] });
  add('dashboard', 'relu', { tab: 'activations' }, { themes: ['dark'] });
  add('dashboard', 'kaf-2d', { tab: 'activations' }, { themes: Object.keys(themes) });
  for (const scene of shapes.filter((name) => name !== 'kaf-2d'))
    add('dashboard', scene, { tab: 'activations' }, { widths: [1400] });
  add('dashboard', 'evaluating', { tab: 'robustness' }, { themes: Object.keys(themes) });
  add(
    'dashboard',
    'finished',
    { tab: 'robustness', attackScale: 'log', attackView: 'whole' },
    { suffix: 'whole', themes: ['dark', 'light'] },
  );
  add('dashboard', 'finished', { tab: 'robustness' }, { widths: [1400, 480, 360] });
  for (const scene of ['attack1', 'attack2', 'attack3', 'attack4', 'attack5'])
    add('dashboard', scene, { tab: 'robustness' }, { widths: [1400] });
  for (const scene of ['attack6', 'attack7', 'attack8', 'attack9', 'attack10', 'attack11'])
    add('dashboard', scene, { tab: 'robustness' }, { themes: Object.keys(themes), widths: [1400, 480] });
  add('dashboard', 'empty', { tab: 'robustness' }, { themes: ['dark'] });
  add('dashboard', 'disconnected', { tab: 'robustness' }, { themes: ['dark'], widths: [1400] });
  add('dashboard', 'finished', { tab: 'curves' }, { suffix: 'form', themes: ['dark'], act: openForm });
  add('dashboard', 'finished', { tab: 'robustness' }, { suffix: 'certify', themes: ['dark'], act: chooseCertificate });
  add('dashboard', 'failed', { tab: 'curves' });
  add('dashboard', 'reading', { tab: 'curves' }, { themes: ['dark'], widths: [1400] });
  for (const tab of ['curves', 'norms']) add('dashboard', 'long', { tab }, { widths: [1400] });
  add('dashboard', 'unhealthy', { tab: 'norms' }, { themes: Object.keys(themes) });
  add('dashboard', 'unhealthy', { tab: 'curves' }, { themes: ['dark'], widths: [1400], act: unfoldFindings });
  add(
    'dashboard',
    'busy',
    { tab: 'curves' },
    { suffix: 'cursor', themes: ['dark'], widths: [1400], act: pointAtChart },
  );
  for (const grouping of ['run', 'seeds'])
    add('compare', 'busy', { tab: 'curves', grouping }, { suffix: grouping, themes: Object.keys(themes) });
  add('compare', 'busy', { tab: 'norms', grouping: 'seeds' }, { suffix: 'norms' });
  for (const grouping of ['run', 'seeds'])
    add('compare', 'busy', { tab: 'robustness', grouping }, { suffix: grouping, themes: Object.keys(themes) });
  add('compare', 'busy', { tab: 'shift', grouping: 'seeds' }, { suffix: 'seeds' });
  for (const tab of ['robustness', 'shift']) add('compare', 'plain', { tab }, { widths: [1400] });
  for (const scene of ['reading', 'lost']) add('compare', scene, { tab: 'robustness' }, { widths: [1400] });
  for (const grouping of ['run', 'seeds'])
    add(
      'compare',
      'busy',
      {
        tab: 'table',
        grouping,
        sortKey: 'clean',
        isDescending: true,
        ...(grouping === 'seeds' && { baseline: 'vgg-relu · type relu · max 0.1' }),
      },
      { suffix: grouping, themes: Object.keys(themes) },
    );
  add('compare', 'sweep-busy', { tab: 'cells' }, { themes: Object.keys(themes) });
  add('compare', 'sweep-busy', { tab: 'cells' }, { themes: ['dark'], widths: [360] });
  for (const tab of ['table', 'curves'])
    add('compare', 'sweep-busy', { tab }, { themes: tab === 'table' ? Object.keys(themes) : ['dark'] });
  for (const scene of ['sweep-waiting', 'sweep-failed', 'sweep-done']) add('compare', scene, { tab: 'cells' });
  add('compare', 'sweep-waiting', { tab: 'curves' }, { themes: ['dark'], widths: [1400] });
  for (const scene of ['empty', 'failed']) add('compare', scene, {}, { themes: ['dark'], widths: [1400] });
  add('monitor', 'busy', {}, { widths: [280], themes: Object.keys(themes) });
  for (const scene of ['waiting', 'damaged']) add('monitor', scene, {}, { widths: [280], themes: Object.keys(themes) });
  add('monitor', 'unhealthy', {}, { widths: [280], themes: Object.keys(themes), act: unfoldFindings });
  for (const scene of ['empty', 'failed', 'disconnected']) add('monitor', scene, {}, { widths: [280] });
  for (const section of ['model', 'plan']) add('checkpoint', 'file', { section });
  add('checkpoint', 'bad', { section: 'model', tensor: 'model/conv2.kernel' }, { themes: ['dark'], widths: [1400] });
  add('checkpoint', 'kaf-2d', { section: 'model' }, { themes: Object.keys(themes) });
  for (const scene of shapes.filter((name) => name !== 'kaf-2d'))
    add('checkpoint', scene, { section: 'model' }, { themes: ['dark'], widths: [1400] });
  for (const scene of ['damaged', 'foreign', 'many'])
    add('checkpoint', scene, { section: 'model' }, { themes: Object.keys(themes) });
  for (const scene of ['compared', 'comparing', 'compare-failed'])
    add('checkpoint', scene, { section: 'model' }, { themes: scene === 'compared' ? Object.keys(themes) : ['dark'] });
  for (const [suffix, tensor] of [
    ['filters', 'model/conv2.kernel'],
    ['matrix', 'model/dense1.kernel'],
  ])
    add(
      'checkpoint',
      'file',
      { section: 'model', tensor },
      { suffix, themes: Object.keys(themes), act: pointAtKernel },
    );
  add(
    'checkpoint',
    'compared',
    { section: 'model', tensor: 'model/conv2.kernel' },
    { suffix: 'compared-kernel', themes: ['dark'] },
  );
  add('checkpoint', 'foreign', { section: 'plan' }, { themes: ['dark'] });
  add('checkpoint', 'failed', { section: 'model' }, { themes: ['dark'] });
  for (const scene of ['pictures', 'table', 'busy', 'failed', 'cancelled', 'empty'])
    add('dataset', scene, {}, { themes: Object.keys(themes) });
  add('learning-rate', 'done', {}, { themes: Object.keys(themes) });
  for (const scene of ['running', 'empty', 'failed', 'cancelled', 'applied'])
    add('learning-rate', scene, {}, { themes: ['dark'], widths: [1400, 480] });
  return result;
}

/** A page stays what it is in every theme and width, as a panel does whose window is made narrower or given another theme. */
async function take({ panel, scene, view, act, shots }) {
  const height = panel === 'monitor' ? 620 : 860;
  const [first] = shots;
  const page = await newPage({ width: first.width, height });
  let { name } = first;
  page.on('pageerror', (error) => tell(name, error));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') tell(name, message.text());
  });
  await page.goto(address(panel, scene, view, first.theme));
  await settle(page, panel);
  if (act) {
    await act(page);
    await settle(page, panel);
  }
  for (const shot of shots) {
    ({ name } = shot);
    if (shot !== first) {
      await page.setViewportSize({ width: shot.width, height });
      await page.evaluate(takeTheme, { sheet: `/theme-${shot.theme}.css`, bodyClass: themes[shot.theme].bodyClass });
      await settle(page, panel);
    }
    await look(page, name);
  }
  await page.close();
}

/** Runs in the page. */
async function takeTheme({ sheet, bodyClass }) {
  const link = document.querySelector('link');
  if (link.getAttribute('href') === sheet) return;
  await new Promise((resolve) => {
    link.onload = resolve;
    link.href = sheet;
  });
  document.body.className = bodyClass;
}

async function look(page, name) {
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  if (overflow > 0) tell(name, `${overflow} px wider than the page`);
  for (const text of await page.evaluate(cutCards)) tell(name, `cut off: ${text}`);
  await page.screenshot({ path: path.join(folder, `${name}.png`) });
  tell(name);
}

/** Runs in the page: the beginnings of the cards that a table or a figure sticks out of, and of the tabs whose chosen one does. */
function cutCards() {
  const cut = [];
  const look = (root) => {
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) look(element.shadowRoot);
      const card = element.matches('table, .card > h2 > b') ? element.closest('.card:not(.scrolling)') : null;
      const around = element.matches('[role=tab][aria-selected=true]') ? element.parentElement : card;
      if (around && element.getBoundingClientRect().right > around.getBoundingClientRect().right + 0.5) {
        cut.push(around.textContent.replace(/\s+/g, ' ').slice(0, 60));
      }
    }
  };
  look(document);
  return cut;
}

async function openPage(panel, scene, view) {
  const page = await newPage({ width: panel === 'monitor' ? 280 : 1400, height: 860 });
  page.on('pageerror', (error) => tell(`${panel} ${scene}`, error));
  await page.goto(address(panel, scene, view, 'dark'));
  await settle(page, panel);
  return page;
}

async function newPage(viewport) {
  const page = await browser.newPage({ viewport });
  page.setDefaultTimeout(guardMs);
  return page;
}

/** Waits for the panel's element, the icon font, and until all that the panel was told is drawn. */
async function settle(page, panel) {
  await page.locator(`kaf-${panel}`).waitFor({ state: 'attached' });
  await page.evaluate(async () => void (await document.fonts.ready));
  await drawn(page);
}

async function openForm(page) {
  await page.getByText('Evaluate…').first().click();
  const steps = page.locator('vscode-textfield[data-field="epsilon"] input');
  await steps.fill('8/25x');
}

async function chooseCertificate(page) {
  await page.getByText('Evaluate…').first().click();
  await page.locator('select[data-field="attack"]').selectOption('smoothing');
}

async function unfoldFindings(page) {
  for (const summary of await page.locator('kaf-findings summary').all()) await summary.click();
}

async function pointAtKernel(page) {
  const box = await page.locator('kaf-kernel-map canvas').boundingBox();
  await page.mouse.move(box.x + 40, box.y + 14);
}

async function pointAtChart(page) {
  const box = await page.locator('kaf-line-chart').first().boundingBox();
  await page.mouse.move(box.x + box.width * 0.55, box.y + box.height / 2);
}

function address(panel, scene, view, theme) {
  const query = new URLSearchParams({ panel, scene, theme, view: JSON.stringify(view) });
  return `http://127.0.0.1:${port}/?${query}`;
}

function page(panel, theme) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${panel}</title>
<link rel="stylesheet" href="/theme-${theme}.css">
<link rel="stylesheet" href="/codicon.css" id="vscode-codicon-stylesheet">
</head>
<body class="${themes[theme].bodyClass}">
<script src="/scene.js"></script>
<script src="/${panel}.js"></script>
</body>
</html>`;
}

async function bundle() {
  const built = await esbuild.build({
    absWorkingDir: root,
    entryPoints: {
      dashboard: 'webview/dashboard/main.ts',
      compare: 'webview/compare/main.ts',
      monitor: 'webview/monitor/main.ts',
      checkpoint: 'webview/checkpoint/main.ts',
      dataset: 'webview/dataset/main.ts',
      'learning-rate': 'webview/learningRate/main.ts',
      scene: 'test/webview/gallery/scene.ts',
    },
    bundle: true,
    write: false,
    outdir: 'out',
    format: 'iife',
    target: 'es2022',
    minify: true,
    tsconfig: path.join(root, 'webview/tsconfig.json'),
    logLevel: 'warning',
  });
  const map = new Map();
  for (const file of built.outputFiles)
    map.set(`/${path.basename(file.path)}`, { type: 'text/javascript', contents: file.contents });
  const codicons = path.join(root, 'node_modules/@vscode/codicons/dist');
  map.set('/codicon.css', { type: 'text/css', contents: fs.readFileSync(path.join(codicons, 'codicon.css')) });
  map.set('/codicon.ttf', { type: 'font/ttf', contents: fs.readFileSync(path.join(codicons, 'codicon.ttf')) });
  for (const theme of Object.keys(themes))
    map.set(`/theme-${theme}.css`, { type: 'text/css', contents: themeSheet(theme) });
  return map;
}
