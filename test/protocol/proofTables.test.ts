// Settings of certificates and of detectors as experiments rely on them, and what each consists of at its defaults.
import { describe, expect, it } from 'vitest';
import { completeKeys, type AttackKeys } from '../../server/protocol/attackKey.ts';
import { certificateNames, certificateTable } from '../../server/protocol/certificateTable.ts';
import { detectorNames, detectorTable } from '../../server/protocol/detectorTable.ts';
import { entryLine, linesOf } from './keyLines.ts';

const context = { trainedEpsilon: 0.1, testSamples: 1000 };

describe('certificates', () => {
  it('have these settings', () => {
    expect(Object.fromEntries(certificateNames.map((name) => [name, linesOf(certificateTable[name].keys)])))
      .toMatchInlineSnapshot(`
        {
          "ibp": [
            "norm linf of linf",
            "epsilon the training threat's, else 8/255; 0.5 with l2 in (0, 1], pixels",
            "searches 16 in [1, 60], whole",
            "samples 1000, or all test images where there are fewer in [1, 100000], whole",
            "batchSize 128 in [1, 10000], whole",
            "weights averaged of averaged|raw, before "averaged"",
          ],
          "lipschitz": [
            "norm l2 of l2",
            "epsilon 0.5 in (0, 100], pixels",
            "samples 1000, or all test images where there are fewer in [1, 100000], whole",
            "batchSize 128 in [1, 10000], whole",
            "weights averaged of averaged|raw, before "averaged"",
          ],
          "smoothing": [
            "norm l2 of l2",
            "epsilon 0.5 in (0, 100], pixels",
            "sigma 0.25 in (0, 100], pixels",
            "selection 100 in [1, 1000000], whole",
            "draws 10000 in [1, 10000000], whole",
            "failure 0.001 in (0, 0.5]",
            "samples 100, or all test images where there are fewer in [1, 100000], whole",
            "batchSize 128 in [1, 10000], whole",
            "seed 0 in [0, 4294967295], whole, before 0",
            "weights averaged of averaged|raw, before "averaged"",
          ],
        }
      `);
  });

  it('are these at their defaults, in short', () => {
    const lines = certificateNames.map((name) =>
      entryLine(certificateTable[name], completeKeys(certificateTable[name].keys, {}, context)),
    );
    expect(lines).toMatchInlineSnapshot(`
      [
        "smoothing σ 0.25 × 10000: usual, 1 × run of 0 × step; nearest",
        "interval bounds: usual, 1 × run of 0 × step; nearest",
        "Lipschitz bound: usual, 1 × run of 0 × step; nearest",
      ]
    `);
    const { title } = certificateTable.smoothing;
    expect(title({ sigma: 0.123456, draws: 50 })).toBe('smoothing σ 0.1235 × 50');
  });

  it('by smoothing are of 100 images, or of as many as there are', () => {
    const images = (testSamples: number | null) =>
      completeKeys(certificateTable.smoothing.keys as AttackKeys, {}, { ...context, testSamples })['samples'];
    expect([images(10_000), images(60), images(null)]).toEqual([100, 60, 100]);
  });
});

describe('detectors', () => {
  it('have these settings', () => {
    expect(linesOf(detectorTable.metzen.keys)).toEqual(linesOf(detectorTable.density.keys));
    expect(linesOf(detectorTable.density.keys)).toMatchInlineSnapshot(`
      [
        "norm linf of linf|l2",
        "epsilon the training threat's, else 8/255; 0.5 with l2 in (0, 100], pixels",
        "depth 1 in [1, 1000], whole",
        "fit 1000 in [10, 100000], whole",
        "falseAlarms 0.05 in (0, 1)",
        "samples 1000, or all test images where there are fewer in [1, 100000], whole",
        "batchSize 128 in [1, 10000], whole",
        "seed 0 in [0, 4294967295], whole, before 0",
        "weights averaged of averaged|raw, before "averaged"",
      ]
    `);
  });

  it('are these at their defaults, in short', () => {
    const lines = detectorNames.map((name) =>
      entryLine(detectorTable[name], completeKeys(detectorTable[name].keys, {}, context)),
    );
    expect(lines).toMatchInlineSnapshot(`
      [
        "density detector: usual, 1 × run of 0 × step",
        "detector network: usual, 1 × run of 0 × step",
      ]
    `);
  });
});
