import { expect, test } from 'vitest';
import { AskedIntents } from '../../../webview/state/askedIntents.ts';

const training = { id: 'a', status: 'training' } as const;

test('what was asked of a run is under way until its status is another', () => {
  const asked = new AskedIntents();
  expect(asked.textOf(training)).toBeNull();
  asked.ask(training, 'stop');
  asked.see(training);
  asked.see({ id: 'b', status: 'finished' });
  expect(asked.textOf(training)).toBe('stopping…');
  expect(asked.textOf({ id: 'b' })).toBeNull();
  asked.see({ ...training, status: 'stopped' });
  expect(asked.textOf(training)).toBeNull();
});

test('nothing is under way any more once the connection is lost', () => {
  const asked = new AskedIntents();
  asked.ask(training, 'pause');
  asked.forgetAll();
  expect(asked.textOf(training)).toBeNull();
});
