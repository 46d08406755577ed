import { expect, test } from 'vitest';
import { legendOf, type Curve } from '../../../webview/charts/curve.ts';

const curve = (name: string, more: Partial<Curve> = {}): Curve => ({
  name,
  x: [0],
  y: [0],
  color: `of ${name}`,
  ...more,
});

test('a legend tells each name once, nothing that lies faint beneath, and not a single one', () => {
  const curves = [curve('a, raw', { opacity: 0.3 }), curve('a'), curve('b'), curve('b'), curve('')];
  expect(legendOf(curves)).toEqual([
    { name: 'a', color: 'of a' },
    { name: 'b', color: 'of b' },
  ]);
  expect(legendOf([curve('a'), curve('a, raw', { opacity: 0.3 })])).toEqual([]);
});
