// What a user does with the inspector, done in the gallery's page.
import assert from 'node:assert/strict';
import { posted } from './posted.mjs';

export const checkpointChecks = [
  [checkCheckpoint, 'checkpoint', 'file', { section: 'model' }],
  [checkDifference, 'checkpoint', 'compared', { section: 'model' }],
  [checkKernel, 'checkpoint', 'file', { section: 'model', tensor: 'model/conv2.kernel' }],
  [checkPlace, 'checkpoint', 'file', { section: 'model' }],
  [checkDamage, 'checkpoint', 'damaged', { section: 'optimizer' }],
  [checkManyTensors, 'checkpoint', 'many', { section: 'model' }],
];

async function checkPlace(page) {
  await page.locator('kaf-checkpoint-place vscode-toolbar-button[label="Earlier checkpoint"]').click();
  await page.locator('kaf-checkpoint-place input').focus();
  await page.keyboard.press('Home');
  for (const intent of ['evaluate', 'fork', 'resume', 'openRun'])
    await page.locator(`[data-intent="${intent}"]`).click();
  const [runId, file] = ['kaf-vgg-1', 'epoch-12.safetensors'];
  assert.deepEqual((await posted(page)).slice(1), [
    { type: 'show', file: 'epoch-10.safetensors' },
    { type: 'show', file: 'epoch-2.safetensors' },
    { type: 'evaluate', runId, file },
    { type: 'fork', runId, file },
    { type: 'resume', runId },
    { type: 'openRun', runId },
  ]);
  await page.close();
}

/** By how far tensors have moved, the farthest first, and with which file is asked by its name. */
async function checkDifference(page) {
  const list = page.locator('select[data-intent="compare"]');
  await list.selectOption({ label: 'step 782 · epoch 2' });
  await list.selectOption({ label: 'a file…' });
  assert.equal(await list.evaluate((one) => one.value), 'epoch-4.safetensors', 'until one is chosen');
  await list.selectOption({ label: 'nothing' });
  assert.deepEqual(
    (await posted(page)).filter(({ type }) => type.startsWith('compare')),
    [{ type: 'compare', file: 'epoch-2.safetensors' }, { type: 'compareWithFile' }, { type: 'compare', file: null }],
  );
  const shares = async () =>
    (await page.locator('tbody tr td:nth-child(5)').allInnerTexts()).map((text) => Number(text.trim()));
  const falling = await shares();
  assert.ok(falling.length > 20);
  assert.deepEqual(
    falling,
    falling.toSorted((a, b) => b - a),
  );
  await page.getByRole('button', { name: '‖Δ‖/‖w‖' }).click();
  assert.deepEqual(await shares(), falling.toReversed());
  const large = page.locator('kaf-line-chart').first();
  assert.deepEqual(
    await large.evaluate((chart) => chart.curves.map(({ name }) => name).slice(0, 1)),
    ['in the other'],
    'the shape of the other lies beneath',
  );
  await page.close();
}

/** Each value of a kernel is reached and told, across the pictures' edges too. */
async function checkKernel(page) {
  const map = page.locator('kaf-kernel-map canvas');
  await map.waitFor();
  const told = () => page.locator('kaf-kernel-map [role="status"]').innerText();
  await page.locator('kaf-kernel-card input').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Tab');
  await page.waitForFunction(() => globalThis.posted.at(-1).input === 1);
  assert.deepEqual((await posted(page)).at(-1), { type: 'askKernel', tensor: 'model/conv2.kernel', input: 1, page: 0 });
  assert.match(await told(), /^filter 0, row 0, column 0: /);
  for (const key of ['ArrowDown', 'ArrowRight', 'ArrowRight', 'ArrowRight']) await page.keyboard.press(key);
  const text = await told();
  assert.match(text, /^filter 1, row 1, column 0: /);
  const shown = await page.locator('kaf-kernel-map').evaluate((one) => one.values[9 + 3]);
  assert.ok(Math.abs(Number(text.split(': ')[1].replace('−', '-')) - shown) < 1e-3 * Math.abs(shown) + 1e-6, text);
  await page.close();
}

async function checkCheckpoint(page) {
  await page.getByRole('button', { name: 'values' }).click();
  const first = () => page.locator('kaf-tensor-table tbody tr').first();
  assert.match(await first().innerText(), /dense1\.kernel/);
  await first().focus();
  await page.keyboard.press('Enter');
  await page.locator('h2', { hasText: 'model/dense1.kernel' }).waitFor();
  await page.getByRole('radio', { name: 'plan' }).click();
  await page.locator('pre', { hasText: 'epsilon: 8/255' }).waitFor();
  await page.getByText('Open run').click();
  assert.deepEqual((await posted(page)).at(-1), { type: 'openRun', runId: 'kaf-vgg-1' });
  await page.close();
}

async function checkDamage(page) {
  await page.locator('vscode-textfield input').fill('nothing is called so');
  await page.getByRole('alert').getByRole('button', { name: 'model/conv2.kernel' }).click();
  await page.locator('h2', { hasText: 'model/conv2.kernel damaged distribution' }).waitFor();
  assert.equal(await page.locator('vscode-textfield').evaluate((field) => field.value), '');
  assert.match(await page.locator('tr.chosen').innerText(), /^conv2\.kernel\s+damaged/);
  assert.equal(await page.locator('tbody .chip').count(), 1);
  await page.close();
}

/** A row is made when one comes near it, and found by its name at once. */
async function checkManyTensors(page) {
  const rows = page.locator('kaf-tensor-table tbody tr:not(.more)');
  const before = await rows.count();
  assert.ok(before < 1000, `${before} rows`);
  assert.match(await page.locator('.more').innerText(), /^9,\d00 more$/);
  await page.locator('.more').scrollIntoViewIfNeeded();
  await page.waitForFunction(
    (count) =>
      document
        .querySelector('kaf-checkpoint')
        .shadowRoot.querySelector('kaf-tensor-table')
        .shadowRoot.querySelectorAll('tbody tr').length >
      count + 1,
    before,
  );
  await page.locator('vscode-textfield input').fill('experts.9999.');
  await page.waitForFunction(
    () =>
      document
        .querySelector('kaf-checkpoint')
        .shadowRoot.querySelector('kaf-tensor-table')
        .shadowRoot.querySelectorAll('tbody tr').length === 1,
  );
  await page.close();
}
