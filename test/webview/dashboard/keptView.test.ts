// What of a dashboard that was looked at before is seen again.
import { expect, test } from 'vitest';
import { defaultView, keptView } from '../../../webview/dashboard/view.ts';

const kept = { ...defaultView, runId: 'a', tab: 'norms', smoothing: 0.3, zoom: { from: 1, to: 2 }, layer: 'kaf2' };

test('of the run itself all is kept, over what later versions add', () => {
  const { cards: _cards, ...earlier } = kept;
  expect(keptView(earlier, 'a')).toEqual(kept);
});

test('of another run the tab is not', () => {
  expect(keptView(kept, 'b')).toMatchObject({ runId: 'a', tab: 'curves', smoothing: 0.3 });
});

test('what is of another kind, unknown or no view at all is left out', () => {
  const broken = { ...kept, smoothing: '0.3', tab: 'gone', cards: null, more: 1 };
  expect(keptView(broken, 'a')).toEqual({ ...kept, smoothing: defaultView.smoothing, tab: 'curves' });
  for (const none of [null, undefined, 3, 'text']) expect(keptView(none, 'a')).toEqual(defaultView);
});
