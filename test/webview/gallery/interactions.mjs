// What a user does with the panels, done in the gallery's page by mouse and keyboard; each check throws where the panel does
// not answer as it should. What is drawn comes in a later frame than what asked for it: a check that looks at it waits by `drawn`.
import assert from 'node:assert/strict';
import { checkpointChecks } from './checkpointChecks.mjs';
import { compareChecks } from './compareChecks.mjs';
import { drawn, posted } from './posted.mjs';

const checks = [
  [checkFrames, 'dashboard', 'busy', { tab: 'curves' }],
  [checkHeardCurves, 'dashboard', 'busy', { tab: 'curves' }],
  ...['curves', 'norms', 'activations'].map((tab) => [checkSaved, 'dashboard', 'busy', { tab }]),
  [checkSaved, 'compare', 'busy', { tab: 'table' }],
  [checkTabs, 'dashboard', 'busy', { tab: 'curves' }],
  [checkZoom, 'dashboard', 'busy', { tab: 'curves' }],
  [checkAxes, 'dashboard', 'busy', { tab: 'curves' }],
  [checkCells, 'dashboard', 'busy', { tab: 'norms' }],
  [checkShapes, 'dashboard', 'busy', { tab: 'activations' }],
  [checkAxis, 'dashboard', 'finished', { tab: 'robustness' }],
  [checkDataset, 'dataset', 'table', {}],
  [checkEvaluation, 'dashboard', 'finished', { tab: 'curves' }],
  [checkHalfRate, 'dashboard', 'diverged', { tab: 'curves' }],
  [checkTheme, 'dashboard', 'busy', { tab: 'curves' }],
  [checkLongZoom, 'dashboard', 'long', { tab: 'curves' }],
  [checkMonitor, 'monitor', 'busy', {}],
  ...checkpointChecks,
  ...compareChecks,
];

/**
 * @param {(panel: string, scene: string, view: object) => Promise<import('playwright-core').Page>} open
 * @param {string} part of the names of the checks; empty for all
 * @param {(name: string, error: unknown) => void} tell called after each check; without an error of one that passed
 */
export async function checkInteractions(open, part, tell) {
  for (const [check, panel, scene, view] of checks) {
    if (!check.name.includes(part)) continue;
    const name = [check.name, panel, scene, view.tab ?? view.section].filter(Boolean).join(' ');
    await check(await open(panel, scene, view)).then(
      () => tell(name),
      (error) => tell(name, error),
    );
  }
}

/** A pinned card comes first, a wide one has the row, a height holds, and all of it is kept. */
async function checkFrames(page) {
  await page.getByRole('button', { name: 'Pin to the beginning: learning rate' }).click();
  assert.match(await page.locator('.card h2').first().innerText(), /^learning rate/);
  await page.getByRole('button', { name: 'As wide as the panel: learning rate' }).click();
  const chart = page.locator('kaf-line-chart').first();
  assert.ok((await chart.boundingBox()).width > 1200);
  const handle = page.locator('kaf-resize-handle div').first();
  const before = (await chart.boundingBox()).height;
  const box = await handle.boundingBox();
  await page.mouse.move(box.x + 50, box.y + 2);
  await page.mouse.down();
  await page.mouse.move(box.x + 50, box.y + 62, { steps: 3 });
  await page.mouse.up();
  assert.ok(Math.abs((await chart.boundingBox()).height - before - 60) < 2);
  const kept = (await posted(page)).findLast(({ type }) => type === 'keepView').view.cards['learning rate'];
  assert.deepEqual([kept.isPinned, kept.isWide, Math.round(kept.height - before)], [true, true, 60]);
  await handle.press('Home');
  const again = (await posted(page)).findLast(({ type }) => type === 'keepView').view.cards['learning rate'];
  assert.deepEqual(again, { isPinned: true, isWide: true });
  await page.close();
}

/** What the keys reach is said, with its curve, step and value, and the table has the same. */
async function checkHeardCurves(page) {
  const chart = page.locator('kaf-line-chart').first();
  const heard = () => chart.locator('[aria-live]').innerText();
  await chart.locator('.frame').focus();
  await page.keyboard.press('ArrowLeft');
  const first = await heard();
  assert.match(first, /^loss, raw, step 3,\d{3}: \d/);
  await page.keyboard.press('ArrowLeft');
  assert.notEqual(await heard(), first);
  await page.keyboard.press('ArrowDown');
  assert.match(await heard(), /^loss, step 3,\d{3}: \d/);
  await page.keyboard.press('ArrowDown');
  const [, step, value] = /^test loss, step ([\d,]+): (\S+)$/.exec(await heard());
  await page.keyboard.press('t');
  const rows = await chart.locator('tbody tr').evaluateAll((all) => all.map((row) => row.innerText.split('\t')));
  assert.equal(rows.length, 200, 'the rest when it is asked for');
  await chart.getByRole('button', { name: /^\d+ more$/ }).click();
  while (await chart.getByRole('button', { name: /^\d+ more$/ }).count())
    await chart.getByRole('button', { name: /^\d+ more$/ }).click();
  const all = await chart.locator('tbody tr').evaluateAll((rows) => rows.map((row) => row.innerText.split('\t')));
  const [, , told] = all.find(([name, x]) => name === 'test loss' && x === step);
  assert.ok(Math.abs(Number(told) - Number(value)) < 1e-3, `${told} in the table, ${value} said`);
  await page.keyboard.press('Escape');
  assert.equal(await chart.locator('table').count(), 0);
  await page.close();
}

/** Each kind of chart is saved as it is seen, below its card's title, and its values with it. */
async function checkSaved(page) {
  await page.locator('.card').first().waitFor();
  for (const kind of ['line-chart', 'heat-map', 'shape-grid', 'pareto-chart', 'parallel-chart']) {
    const chart = page.locator(`kaf-${kind}`).first();
    if ((await chart.count()) === 0) continue;
    await page.evaluate(() => (globalThis.posted.length = 0));
    await chart.hover();
    await chart.getByRole('button', { name: /^Save or copy/ }).click();
    for (const form of ['PNG', 'SVG', 'CSV', 'JSON'])
      await chart.getByRole('button', { name: new RegExp(`^Save .* as ${form}$`) }).click();
    await page.waitForFunction(() => globalThis.posted.filter(({ type }) => type === 'saveFile').length === 4);
    const saved = (await posted(page)).filter(({ type }) => type === 'saveFile');
    const of = (end) => saved.find(({ name }) => name.endsWith(end)).content;
    const png = Buffer.from(Object.values(of('.png')));
    const { width, height } = await chart.boundingBox();
    assert.ok(Math.abs(png.readUInt32BE(16) - width) < 2, `${kind}: as wide as it is seen`);
    assert.ok(png.readUInt32BE(20) > height + 20, `${kind}: its head is above it`);
    const { title } = JSON.parse(of('.json'));
    assert.match(of('.svg'), new RegExp(`^<svg .*<text [^>]*>${title}</text>.*<(image|path) `), kind);
    assert.ok(of('.csv').split('\r\n').length > 3);
    assert.ok(JSON.parse(of('.json')).rows.length > 2);
  }
  await page.close();
}

/** However narrow it is, an axis of robustness has three ticks, or one at every place that was attacked. */
async function checkAxis(page) {
  const chart = page.locator('kaf-line-chart.steps');
  await chart.waitFor();
  const ticksOf = (props) =>
    chart.evaluate(async (element, { width, xTicks, xUnit, low, high }) => {
      element.style.width = `${width}px`;
      const x = xTicks ?? [0, 10];
      const curves = [{ name: 'worst case', x, y: x.map((_, index) => (index === 0 ? high : low)), color: 'red' }];
      const format = element.formatX;
      Object.assign(element, { curves, xTicks, xUnit, xScale: 'linear', range: null, formatX: format });
      await element.updateComplete;
      await globalThis.untilDrawn();
      const { x: across, y: up } = element.chart.scales;
      return [across, up].map(({ ticks }) => ticks.map(({ label }) => label).filter((label) => label !== ''));
    }, props);
  const ranges = [
    [0, 1],
    [0.41, 0.79],
    [0.38, 0.42],
    [0, 0.07],
  ];
  for (const width of [230, 320, 700, 1200]) {
    for (const xTicks of [null, ...[2, 3, 4, 5].map((n) => [0, ...[1, 2, 4, 8, 16].slice(0, n).map((e) => e / 255)])]) {
      for (const [low, high] of ranges) {
        const [across, up] = await ticksOf({ width, xTicks, xUnit: xTicks ? 0 : 1, low, high });
        const what = JSON.stringify({ width, xTicks, low, high, across, up });
        assert.ok(up.length >= 3, what);
        assert.ok(across.length >= 3, what);
      }
    }
  }
  await page.close();
}

/** A data set's figures are saved and copied. */
async function checkDataset(page) {
  await page.locator('.card').first().waitFor();
  await page.getByRole('button', { name: /^Save .* as CSV$/ }).click();
  await page.getByRole('button', { name: /^Copy .* as CSV$/ }).click();
  const told = await posted(page);
  assert.match(told.find(({ type }) => type === 'saveFile').content, /^column,class,mean,deviation,from,to,count\r\n/);
  assert.ok(told.find(({ type }) => type === 'copy').text.split('\r\n').length > 20);
  await page.close();
}

async function checkTabs(page) {
  await page.locator('[data-tab="curves"]').focus();
  await page.keyboard.press('ArrowRight');
  await page.locator('kaf-norms-tab').waitFor();
  assert.equal(await page.locator('kaf-curves-tab').count(), 0, 'only the chosen tab exists');
  await page.keyboard.press('End');
  await page.locator('kaf-robustness-tab').waitFor();
  await page.locator('[data-intent="pause"]').click();
  await page.locator('[data-intent="stop"]').focus();
  await page.keyboard.press('Enter');
  const intents = (await posted(page)).filter(({ type }) => type !== 'keepView');
  assert.deepEqual(intents, [
    { type: 'ready' },
    { type: 'pause', runId: 'kaf-vgg-1' },
    { type: 'stop', runId: 'kaf-vgg-1' },
  ]);
  await page.close();
}

async function checkHalfRate(page) {
  await page.getByRole('button', { name: 'New experiment with half the learning rate' }).first().click();
  assert.deepEqual((await posted(page)).at(-1), { type: 'halveLearningRate', runId: 'kaf-vgg-1' });
  await page.close();
}

/** Of a long run the rows of a stretch are asked for, and are the rows themselves where they fit. */
async function checkLongZoom(page) {
  const chart = page.locator('kaf-line-chart').first();
  await chart.evaluate((element) => {
    const detail = { range: { from: 700_000, to: 700_500 } };
    element.dispatchEvent(new CustomEvent('range-chosen', { detail, bubbles: true, composed: true }));
  });
  await page.waitForFunction(() => {
    const chart = document
      .querySelector('kaf-dashboard')
      .shadowRoot.querySelector('kaf-curves-tab')
      .shadowRoot.querySelector('kaf-line-chart');
    const raw = chart.curves[0];
    return raw.x.indexOf(700_001) >= 0 && raw.y[raw.x.indexOf(700_001)] === 40 && raw.x.indexOf(700_002) >= 0;
  });
  const asked = (await posted(page)).filter(({ type }) => type === 'askSeries').at(-1);
  assert.equal(asked.from, 700_000);
  assert.equal(asked.to, 700_500);
  await page.close();
}

/** A drag upwards chooses a stretch of y, of that card alone; a double click gives it back, as does another scale. */
async function checkZoomOfY(page, chart, box) {
  const drag = async () => {
    await page.mouse.move(box.x + box.width / 2, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2 + 5, box.y + 110, { steps: 4 });
    await page.mouse.up();
  };
  const ends = async (which) => {
    await drawn(page);
    return await which.evaluate(({ chart: { scales } }) => [scales.y.min, scales.y.max]);
  };
  const other = page.locator('kaf-line-chart').nth(1);
  const [whole, wholeOther] = [await ends(chart), await ends(other)];
  await drag();
  const [low, high] = await ends(chart);
  assert.ok(low > whole[0] && high < whole[1], `y from ${low} to ${high} of ${whole}`);
  assert.deepEqual(await ends(other), wholeOther);
  assert.equal(await chart.evaluate((element) => element.range), null, 'x stays');
  await page.mouse.dblclick(box.x + box.width / 2, box.y + 60);
  assert.deepEqual(await ends(chart), whole);
  await drag();
  await page.getByRole('radio', { name: 'y log' }).click();
  await page.getByRole('radio', { name: 'y lin' }).click();
  assert.deepEqual(await ends(chart), whole);
  await chart.locator('.frame').focus();
  await page.keyboard.press('Shift+ArrowUp');
  const [keyLow, keyHigh] = await ends(chart);
  assert.ok(keyHigh - keyLow < 0.6 * (whole[1] - whole[0]), 'by the keys, too');
  await page.getByRole('button', { name: 'whole run' }).click();
  assert.deepEqual(await ends(chart), whole);
}

async function checkZoom(page) {
  const chart = page.locator('kaf-line-chart').first();
  const range = () => chart.evaluate((element) => element.range);
  const box = await chart.boundingBox();
  await page.mouse.move(box.x + box.width * 0.4, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + 60, { steps: 4 });
  await page.mouse.up();
  const zoomed = await range();
  assert.ok(zoomed.from > 800 && zoomed.to < 2400 && zoomed.from < zoomed.to, `zoomed to ${JSON.stringify(zoomed)}`);
  const other = await page
    .locator('kaf-line-chart')
    .nth(3)
    .evaluate((element) => element.range);
  assert.deepEqual(other, zoomed, 'all charts share the range');
  await page.mouse.dblclick(box.x + box.width / 2, box.y + 60);
  assert.equal(await range(), null);
  await page.keyboard.press('ArrowLeft');
  assert.equal(await page.locator('.cursor.shown').count(), await page.locator('kaf-line-chart').count());
  await checkZoomOfY(page, chart, box);
  await page.locator('vscode-textfield input').fill('^(gradient norm|no such)');
  await page.waitForFunction(
    () =>
      document
        .querySelector('kaf-dashboard')
        .shadowRoot.querySelector('kaf-curves-tab')
        .shadowRoot.querySelectorAll('kaf-line-chart').length === 1,
  );
  await page.close();
}

/** The charts' x axes line up whatever the numbers beside them. */
async function checkAxes(page) {
  for (const scale of ['y lin', 'y log']) {
    await page.getByRole('radio', { name: scale }).click();
    for (const top of [1e-3, 0.0125, 0.5, 80, 12_500, 2.5e6]) {
      const lefts = await page.locator('kaf-line-chart').evaluateAll(async (charts, largest) => {
        const x = [0, 1000, 2000];
        charts[0].curves = [{ name: 'one', x, y: [largest / 40, largest / 2, largest], color: 'red' }];
        await charts[0].updateComplete;
        await globalThis.untilDrawn();
        return charts.map(({ chart }) => chart.chartArea.left);
      }, top);
      assert.deepEqual([...new Set(lefts)], [lefts[1]], `${scale}, up to ${top}`);
    }
  }
  await page.close();
}

async function checkCells(page) {
  const map = page.locator('kaf-heat-map canvas');
  await map.focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Home');
  await page.locator('kaf-norms-tab h2', { hasText: 'kaf1' }).first().waitFor();
  const box = await map.boundingBox();
  await page.mouse.click(box.x + box.width - 3, box.y + 5);
  await page.locator('kaf-norms-tab h2', { hasText: 'conv1' }).first().waitFor();
  await page.close();
}

async function checkShapes(page) {
  const grid = page.locator('kaf-shape-grid canvas');
  await grid.focus();
  await page.keyboard.press('ArrowRight');
  await page.locator('input[type="range"]').fill('0');
  await page.getByText('step 0 of 4,700').waitFor();
  const label = await grid.getAttribute('aria-label');
  assert.match(label ?? '', /32 channels of kaf1 at step 0; chosen channel \d+, drift/);
  await page.getByRole('radio', { name: 'kaf5 · 128' }).click();
  await page.locator('h2', { hasText: 'kaf5 · channel' }).waitFor();
  await page.close();
}

async function checkEvaluation(page) {
  await page.locator('[data-intent="evaluate"]').click();
  const field = (name) => page.locator(`vscode-textfield[data-field="${name}"] input`);
  await field('epsilon').fill('nonsense');
  assert.ok(await page.locator('vscode-button', { hasText: 'Start attack' }).evaluate((button) => button.disabled));
  await field('epsilon').fill('4/255');
  await field('stepSize').fill('1/255');
  await field('samples').fill('500');
  await field('steps').fill('20');
  await field('steps').press('Enter');
  const last = (await posted(page)).findLast(({ type }) => type === 'evaluate');
  assert.equal(last.evaluation.epsilon, 4 / 255);
  assert.deepEqual([last.evaluation.steps, last.evaluation.restarts, last.evaluation.samples], [20, 10, 500]);
  assert.equal(await page.locator('kaf-evaluate-form').count(), 0);
  await page.close();
}

async function checkTheme(page) {
  const background = () =>
    page
      .locator('kaf-line-chart')
      .first()
      .evaluate((element) => element.palette.foreground);
  const before = await background();
  await page.evaluate(() => {
    document.documentElement.style.setProperty('--vscode-foreground', '#123456');
    document.body.className = 'vscode-light';
  });
  await page.waitForFunction(() => document.querySelector('kaf-dashboard').palette.foreground === '#123456');
  await drawn(page);
  assert.notEqual(await background(), before);
  await page.close();
}

async function checkMonitor(page) {
  await page.locator('[data-intent="pause"]').click();
  await page.getByRole('button', { name: 'kaf-vgg · seed 1' }).click();
  assert.deepEqual((await posted(page)).slice(1), [
    { type: 'pause', runId: 'kaf-vgg-1' },
    { type: 'openDashboard', runId: 'kaf-vgg-1' },
  ]);
  await page.close();
}
