import { expect, test } from 'vitest';
import { AskedIntents, underWayText } from '../../../webview/state/askedIntents.ts';

const training = { id: 'a', status: 'training' } as const;

test('what was asked of a run is under way until its status is another', () => {
  const asked = new AskedIntents();
  expect(asked.of(training)).toBeNull();
  asked.ask(training, 'stop');
  asked.see(training);
  asked.see({ id: 'b', status: 'finished' });
  expect(asked.of(training)).toBe('stop');
  expect(asked.of({ id: 'b' })).toBeNull();
  expect(underWayText('stop')).toBe('stopping…');
  asked.see({ ...training, status: 'stopped' });
  expect(asked.of(training)).toBeNull();
});

test('nothing is under way any more once the connection is lost', () => {
  const asked = new AskedIntents();
  asked.ask(training, 'pause');
  asked.forgetAll();
  expect(asked.of(training)).toBeNull();
});
