// Chromium's trace of a page at work.

const script = new Set([
  'FunctionCall',
  'EvaluateScript',
  'FireAnimationFrame',
  'TimerFire',
  'RunMicrotasks',
  'MajorGC',
  'MinorGC',
]);

/**
 * @param {import('playwright-core').Browser} browser
 * @param {import('playwright-core').Page} page
 * @param {() => Promise<any>} act
 * @returns what it returned, and the script between each two of the page's marks called `update`, in the thread's own time
 */
export async function tracedWork(browser, page, act) {
  await browser.startTracing(page, { categories: ['devtools.timeline', 'blink.user_timing'] });
  const value = await act();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const marks = traceEvents.filter(({ name, cat }) => name === 'update' && cat.includes('blink.user_timing'));
  const { pid, tid } = marks[0] ?? traceEvents.find(({ name }) => name === 'FunctionCall');
  const own = traceEvents.filter((event) => event.pid === pid && event.tid === tid && event.ph === 'X');
  const scripts = outermost(own.filter(({ name }) => script.has(name)));
  const times = marks.map(({ ts }) => ts).sort((a, b) => a - b);
  const spans = times.map((from, index) => {
    const to = times[index + 1] ?? Infinity;
    const within = scripts.filter(({ ts }) => ts >= from && ts < to);
    return { scriptMs: within.reduce((sum, event) => sum + msOf(event), 0) };
  });
  return { value, spans };
}

/** Of the thread, where the trace says it. */
function msOf({ dur = 0, tdur = dur }) {
  return tdur / 1000;
}

/** Those that lie in no other of them. */
function outermost(events) {
  let end = -Infinity;
  return events
    .sort((a, b) => a.ts - b.ts || b.dur - a.dur)
    .filter(({ ts, dur = 0 }) => {
      if (ts < end) return false;
      end = ts + dur;
      return true;
    });
}
