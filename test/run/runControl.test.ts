// Intents that reach a run at work, and what becomes of one that comes too late.
import { describe, expect, it } from 'vitest';
import { RunControl } from '../../server/run/runControl.ts';

async function isHeld(control: RunControl): Promise<boolean> {
  let isThrough = false;
  void control.untilResumed().then(() => (isThrough = true));
  await new Promise((resolve) => setImmediate(resolve));
  return !isThrough;
}

describe('a run at work', () => {
  it('goes on until it is paused, and once it is resumed', async () => {
    const control = new RunControl();
    expect([control.isPaused, control.ending, control.signal.aborted]).toEqual([false, null, false]);
    control.resume();
    expect(await isHeld(control)).toBe(false);
    control.pause();
    expect(control.isPaused).toBe(true);
    const waiting = control.untilResumed();
    control.pause();
    expect(await isHeld(control)).toBe(true);
    control.resume();
    expect(control.isPaused).toBe(false);
    await waiting;
    expect(await isHeld(control)).toBe(false);
  });

  it.each([
    [
      'stopped',
      (control: RunControl) => {
        control.stop();
      },
      null,
    ],
    [
      'interrupted',
      (control: RunControl) => {
        control.interrupt('The server ends.');
      },
      'The server ends.',
    ],
  ] as const)('is %s once, also while it is paused, and not paused any more then', async (status, end, message) => {
    const control = new RunControl();
    control.pause();
    const waiting = control.untilResumed();
    end(control);
    await waiting;
    expect(control.signal.aborted).toBe(true);
    control.interrupt('Too late.');
    control.stop();
    control.pause();
    expect([control.isPaused, control.ending]).toEqual([false, { status, message }]);
  });
});
