// What a user does with the panel that compares runs, or shows a sweep, done in the gallery's page.
import assert from 'node:assert/strict';
import { posted } from './posted.mjs';

export const compareChecks = [
  [checkComparison, 'compare', 'busy', { tab: 'curves' }],
  [checkReconnection, 'compare', 'lost', { tab: 'robustness', filter: 'loss' }],
  [checkSweep, 'compare', 'sweep-busy', {}],
];

async function checkComparison(page) {
  const last = async (type) => (await posted(page)).filter((message) => message.type === type).at(-1);
  await page.locator('kaf-line-chart').first().waitFor();
  assert.equal(await page.locator('.told').first().locator('span').count(), 9, 'each run is named');
  await page.getByRole('button', { name: 'vgg-kaf · seed 2' }).click();
  assert.deepEqual((await last('keepView')).view.hidden, ['kaf-2']);
  await page.locator('select').selectOption('seeds');
  await page.waitForFunction(
    () =>
      document
        .querySelector('kaf-compare')
        .shadowRoot.querySelector('kaf-compare-curves')
        .shadowRoot.querySelectorAll('.told')[0].children.length === 3,
  );
  await page.getByRole('button', { name: 'Save or copy loss' }).click();
  await page.getByRole('button', { name: 'Save loss as SVG' }).click();
  const saved = await last('saveFile');
  assert.equal(saved.name, 'loss.svg');
  assert.match(saved.content, /^<svg .*<path d="M[\d.]+ [\d.]+L/);
  await page.getByRole('button', { name: 'Copy loss as CSV' }).click();
  assert.match((await last('copy')).text, /^curve,step,loss\r\nvgg-relu/);
  await page.locator('[data-tab="norms"]').click();
  await page.locator('kaf-compare-curves h2', { hasText: 'conv1' }).waitFor();
  await page.getByRole('radio', { name: 'update / weight' }).click();
  assert.deepEqual((await last('askSeries')).tags, ['update/']);
  await checkOutcomes(page);
  await page.locator('[data-tab="table"]').click();
  await page.getByRole('button', { name: 'clean', exact: true }).click();
  assert.match(await page.locator('tbody tr').first().innerText(), /^vgg-kaf/);
  await page.locator('tbody tr').last().click();
  assert.match(await page.locator('tbody tr').first().innerText(), /p 0\.\d/);
  await page.getByRole('button', { name: 'Markdown' }).click();
  assert.match((await last('copy')).text, /^\| group \| step \| loss \| clean \|/);
  await page.close();
}

/** Of the runs that are shown; a group has what its runs came to, at the pointer what stands there. */
async function checkOutcomes(page) {
  const tab = page.locator('kaf-compare-outcomes');
  const told = (card) => tab.locator('.card', { hasText: card }).locator('.told span').allInnerTexts();
  await page.locator('[data-tab="robustness"]').click();
  await tab.locator('h2', { hasText: 'AutoAttack standard 8/255' }).waitFor();
  const asked = (await posted(page)).findLast(({ type }) => type === 'askOutcomes');
  assert.deepEqual([asked.runIds.length, asked.runIds.includes('kaf-2')], [8, false]);
  const atTheEnd = await told('PGD-50-1 8/255');
  assert.match(atTheEnd[0], /^vgg-relu .* \(3\) \d\d\.\d ± \d\.\d %$/);
  const chart = tab.locator('.card', { hasText: 'PGD-50-1 8/255' }).locator('kaf-line-chart');
  await chart.locator('.frame').focus();
  await page.keyboard.press('Shift+ArrowLeft');
  assert.notDeepEqual(await told('PGD-50-1 8/255'), atTheEnd);
  assert.match((await told('PGD-50-1 8/255'))[0], / \d\d\.\d %$/);
  await page.locator('[data-tab="shift"]').click();
  await tab.locator('h2', { hasText: 'relative shift' }).waitFor();
  assert.equal((await told('thesis shift')).length, 3);
}

/** What could not be asked while there was no server is asked of the next one, and a filter of the curves hides none of it. */
async function checkReconnection(page) {
  await page.getByRole('alert').waitFor();
  assert.equal(await page.locator('kaf-compare-outcomes').locator('kaf-face').count(), 0, 'the reason is said once');
  const asked = async () => (await posted(page)).filter(({ type }) => type === 'askOutcomes').length;
  const before = await asked();
  await page.evaluate(() => globalThis.reconnect());
  await page.locator('kaf-compare-outcomes h2', { hasText: 'AutoAttack' }).waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
  assert.equal(await asked(), before + 1);
  await page.close();
}

/** Cells first, failures at their head; what is asked goes out; the table of settings marks the best and tests by keyboard. */
async function checkSweep(page) {
  const rows = page.locator('kaf-sweep-cells tbody tr');
  assert.match(await rows.nth(0).innerText(), /failed\s+swish · seed 1/);
  assert.match(await rows.nth(1).innerText(), /^Out of memory: /);
  for (const ask of ['pause', 'stop', 'again']) await page.locator(`[data-ask="${ask}"]`).click();
  assert.equal(await page.locator('[data-ask="go-on"]').count(), 0, 'what works is not resumed');
  await page.getByRole('button', { name: 'swish · seed 1' }).focus();
  await page.keyboard.press('Enter');
  await page.getByLabel('Open the experiment file').click();
  await page.getByRole('button', { name: 'CSV' }).click();
  const [, ...asked] = await posted(page);
  assert.deepEqual(asked.slice(0, 5), [
    ...['pause', 'stop', 'again'].map((ask) => ({ type: 'askSweep', ask })),
    { type: 'openDashboard', runId: 'swish-1' },
    { type: 'openExperiment' },
  ]);
  assert.match(
    asked[5].text,
    /^cell,status,activation,seed,progress,clean,robust,time\r\nswish · seed 1,failed,swish,1,/,
  );
  await page.getByTitle('sort by clean').click();
  await page.getByLabel('Hide time').click();
  assert.match(await rows.nth(0).innerText(), /kaf dictionary 20 · seed 0/);
  const kept = (await posted(page)).at(-1);
  assert.deepEqual(
    [kept.view.cellSortKey, kept.view.isCellDescending, kept.view.hiddenCellColumns],
    ['clean', true, ['took']],
  );
  await page.locator('[data-tab="cells"]').focus();
  await page.keyboard.press('End');
  const table = page.locator('kaf-compare-table');
  assert.equal(
    await table.locator('tbody tr').nth(2).locator('b').first().innerText(),
    '0.5774 ± 0.0014',
    'the lowest loss is the best',
  );
  await table.getByRole('button', { name: 'relu', exact: true }).focus();
  await page.keyboard.press('Enter');
  assert.match(await table.locator('tbody tr').nth(1).innerText(), /\+\d\.\d · p /);
  const line = page.locator('kaf-parallel-chart .hit').nth(1);
  await line.focus();
  assert.match(await page.locator('kaf-parallel-chart .name').textContent(), /swish: loss/);
  await page.close();
}
