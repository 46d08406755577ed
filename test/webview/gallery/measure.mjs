// What opening and following large runs costs a page, by Chromium's own trace: the picture, the script of each frame while runs are followed, the
// heap. Processor time of the main thread is told beside the clock's, which a busy machine inflates.
import { tracedWork } from './trace.mjs';

const norms = { tab: 'norms', grouping: 'tensors' };

/** What is opened, and how often ten updates a second are followed for three seconds. */
const cases = [
  {
    name: '200 series × 10,000 points: lines',
    panel: 'dashboard',
    scene: 'many',
    view: { ...norms, normView: 'lines' },
  },
  { name: '200 series × 10,000 points: map', panel: 'dashboard', scene: 'many', view: { ...norms, normView: 'map' } },
  { name: '200 series × 10,000 points: curves', panel: 'dashboard', scene: 'many', view: { tab: 'curves' } },
  { name: '10⁶ steps: curves', panel: 'dashboard', scene: 'millions', view: { tab: 'curves' } },
  { name: '10⁶ steps: map', panel: 'dashboard', scene: 'millions', view: { ...norms, normView: 'map' } },
  { name: '250 runs, 50 plotted, ten live', panel: 'compare', scene: 'hundreds', view: { runFilter: 'group [0-9] ' } },
];

const rounds = 3;

/**
 * @param {(panel: string, scene: string, view: object) => Promise<import('playwright-core').Page>} open a page that shows nothing yet
 * @param {import('playwright-core').Browser} browser
 * @param {string} part of the names of what is measured; empty for all
 */
export async function measure(open, browser, part) {
  const result = {};
  for (const { name, panel, scene, view } of cases.filter((one) => one.name.includes(part))) {
    result[name] = [];
    for (let round = 0; round < rounds; round++) {
      const page = await open(panel, scene, view);
      const session = await page.context().newCDPSession(page);
      await session.send('Performance.enable', { timeDomain: 'threadTicks' });
      const copiedMs = await page.evaluate(() => globalThis.prepareLarge());
      const before = await threadMs(session);
      const opening = await tracedWork(browser, page, () => page.evaluate(() => globalThis.openLarge()));
      const pictureThreadMs = (await threadMs(session)) - before;
      const heapMb = (await heapBytes(session)) / 1e6;
      const live = await tracedWork(browser, page, () => page.evaluate(() => globalThis.playLive()));
      const frames = live.frameMs.sort((a, b) => a - b);
      const quantile = (share) => round1(frames[Math.min(frames.length - 1, Math.floor(share * frames.length))] ?? NaN);
      result[name].push({
        pictureMs: Math.round(opening.value.ms - opening.value.hostMs),
        pictureThreadMs: Math.round(pictureThreadMs - opening.hostMs),
        copiedMs: Math.round(copiedMs),
        heapMb: round1(heapMb),
        frames: frames.length,
        frameMedianMs: quantile(0.5),
        frameP95Ms: quantile(0.95),
      });
      await page.close();
    }
  }
  return result;
}

async function threadMs(session) {
  const { metrics } = await session.send('Performance.getMetrics');
  return 1000 * metrics.find(({ name }) => name === 'TaskDuration').value;
}

/** Of all that lives, typed arrays with it. */
async function heapBytes(session) {
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 } = await session.send('Runtime.getHeapUsage');
  return usedSize + embedderHeapUsedSize + backingStorageSize;
}

function round1(value) {
  return Math.round(value * 10) / 10;
}
