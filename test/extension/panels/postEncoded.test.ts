import { expect, test } from 'vitest';
import { postEncoded } from '../../../extension/panels/postEncoded.ts';
import { decode } from '../../../server/protocol/codec.ts';
import type { ToDashboard } from '../../../server/protocol/panel.ts';
import { emptySnapshot } from '../../../server/protocol/snapshot.ts';
import { runSummary } from '../runSummaries.ts';

test('a snapshot with more typed arrays than VS Code carries, and with NaN, arrives whole as one block of bytes', () => {
  const snapshot = emptySnapshot(runSummary(), { version: 1, name: 'kaf' } as never);
  for (let step = 1; step <= 300; step++) {
    snapshot.steps.loss.push(Number.NaN);
    snapshot.norms.gradients.push(new Float32Array([step, Infinity]));
  }
  const message: ToDashboard = { type: 'snapshot', snapshot };
  const posted: unknown[] = [];
  postEncoded({ postMessage: (sent: unknown) => Promise.resolve(posted.push(sent) > 0) }, message);
  const [sent] = posted as [{ bytes: Uint8Array }];
  expect(Object.values(sent)).toEqual([expect.any(Uint8Array)]);
  expect(decode(sent.bytes)).toEqual(message);
});
