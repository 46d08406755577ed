// Chromium's trace of a page at work.

const script = new Set([
  'FunctionCall',
  'EvaluateScript',
  'FireAnimationFrame',
  'TimerFire',
  'HandlePostMessage',
  'RunMicrotasks',
  'MajorGC',
  'MinorGC',
]);

/** What a frame does in answer to its own beginning; all other script makes the next frame late. */
const withinFrame = new Set(['FireAnimationFrame']);

/** Below it a frame has nothing of ours to do but to look. */
const leastMs = 0.5;

/**
 * @param {import('playwright-core').Browser} browser
 * @param {import('playwright-core').Page} page
 * @param {() => Promise<any>} act
 * @returns what it returned, the milliseconds of the host's part, and of each frame that had script to run its milliseconds, in the thread's own time
 */
export async function tracedWork(browser, page, act) {
  await browser.startTracing(page, {
    categories: ['devtools.timeline', 'disabled-by-default-devtools.timeline.frame', 'blink.user_timing'],
  });
  const value = await act();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const { pid, tid } = traceEvents.find(({ name, cat }) => name === 'update' && cat.includes('blink.user_timing'));
  const own = traceEvents.filter((event) => event.pid === pid && event.tid === tid);
  const beginnings = own.filter(({ name }) => name === 'BeginMainThreadFrame').map(({ ts }) => ts);
  beginnings.sort((a, b) => a - b);
  const ofHost = own.filter(({ name, cat }) => name === 'host' && cat.includes('blink.user_timing'));
  const frames = new Map();
  let hostMs = 0;
  for (const event of outermost(own.filter(({ name, ph }) => ph === 'X' && script.has(name)))) {
    if (ofHost.some(({ ts }) => ts >= event.ts && ts < event.ts + event.dur)) {
      hostMs += msOf(event);
      continue;
    }
    const begun = beginnings.findLastIndex((ts) => ts <= event.ts);
    const frame = withinFrame.has(event.name) ? begun : begun + 1;
    frames.set(frame, (frames.get(frame) ?? 0) + msOf(event));
  }
  return { value, hostMs, frameMs: [...frames.values()].filter((ms) => ms >= leastMs) };
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
