// What the cards of a run's curves say at the cursor, and where training diverged.
import { expect, test } from 'vitest';
import { deriveCurves, GradientNorms } from '../../../webview/curves/runCurves.ts';
import { buildCards, cursorSentence } from '../../../webview/dashboard/curveCards.ts';
import { defaultView } from '../../../webview/dashboard/view.ts';
import { makeSnapshot } from '../gallery/runData.ts';
import type { Palette } from '../../../webview/theme/palette.ts';

const palette = { nonFinite: 'magenta', clean: 'blue' } as Palette;
const snapshot = makeSnapshot({ steps: 800, status: 'training' });
const curves = deriveCurves(snapshot, new GradientNorms().of(snapshot.norms.gradients));

test('the loss of the newest test is beside that of the batch, in the card and in the sentence', () => {
  const [card] = buildCards(snapshot, curves, defaultView, palette);
  const [, test] = card!.read(700);
  expect(test).toMatchObject({ name: 'test', tone: 'clean', text: snapshot.tests.loss[0]!.toPrecision(4) });
  expect(cursorSentence(curves, 'step', 700)).toContain(`test loss ${snapshot.tests.loss[0]!.toPrecision(4)}, clean `);
  expect(cursorSentence(curves, 'step', 100)).not.toContain('test loss');
});

test.each(['step', 'epoch', 'relative', 'wall'] as const)('by %s, every card marks where training diverged', (axis) => {
  const diverged = makeSnapshot({ steps: 800, status: 'diverged' });
  diverged.divergence = { step: 800, quantity: 'loss', message: '' };
  const of = deriveCurves(diverged, new GradientNorms().of(diverged.norms.gradients));
  const cards = buildCards(diverged, of, { ...defaultView, axis }, palette);
  expect(cards.length).toBeGreaterThan(4);
  for (const { title, curves: drawn } of cards) {
    const marks = drawn.flatMap(({ x, y, hasNoMarks }) =>
      hasNoMarks ? [] : Array.from(y).flatMap((value, index) => (Number.isNaN(value) ? [x[index]] : [])),
    );
    const end = { step: 800, epoch: 800 / 391, relative: of.elapsedMs.at(-1), wall: diverged.steps.timeMs.at(-1) }[
      axis
    ];
    expect(marks.at(-1), title).toBe(end);
  }
});
