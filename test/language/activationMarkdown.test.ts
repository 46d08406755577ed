// What a hover says of activation functions whose coefficients start at random or by a fit.
import { describe, expect, it } from 'vitest';
import { fixedNormals } from '../../server/language/fixedNormals.ts';
import { hover } from '../../server/language/hover.ts';

/** Of an activation as an experiment writes it: the text, and the picture's SVG. */
function shown(activation: string): { text: string; svg: string | null } {
  const text = `model: { activation: ${activation} }`;
  const character = text.indexOf(activation) + (activation.startsWith('{') ? activation.indexOf(':') + 3 : 1);
  const { value } = hover(text, { line: 0, character })!.contents as { value: string };
  const encoded = /base64,([^)]*)/.exec(value)?.[1];
  return { text: value, svg: encoded === undefined ? null : Buffer.from(encoded, 'base64').toString() };
}

const linesOf = (svg: string | null) => svg?.match(/<path [^>]*stroke="#(3794ff|d18616)"/g)?.length;

describe('the hover of an activation function of coefficients', () => {
  it('draws channels and their band where each starts otherwise', () => {
    const { text, svg } = shown('kaf');
    expect(linesOf(svg)).toBe(3);
    expect(svg).toContain('fill-opacity');
    expect(text).toContain('f of 3 channels from −5 to 5');
    expect(text).toContain('noise of 0.3 on each coefficient');
    expect(shown('{type: kaf, boundary: 8}').text).toContain('from −10 to 10');
  });

  it('draws the function and its derivative where all start alike', () => {
    for (const activation of ['{type: kaf, init: {ridge: tanh}}', 'spline', 'residual-kaf']) {
      const { text, svg } = shown(activation);
      expect(linesOf(svg), activation).toBe(2);
      expect(svg).not.toContain('fill-opacity');
      expect(text).toContain('Drawn as every channel starts.');
    }
  });

  it('says the gain, of random coefficients by the moments of their kernels', () => {
    // √(5.095/1.587) for D = 20 on ±3 at the usual bandwidth, whatever the noise: E f′² and Var f by the Gaussian integrals.
    for (const noise of [0.3, 0.05]) {
      expect(shown(`{type: kaf, init: {normal: ${noise}}}`).text).toContain(
        '**1.792** (over 56 layers gradients grow 1.5e+14 ×)',
      );
    }
    // As Swish and tanh themselves.
    expect(shown('residual-kaf').text).toContain('**1.101**');
    expect(shown('{type: spline, start: tanh}').text).toContain('**1.085**');
  });

  it('says where it has no derivative', () => {
    expect(shown('kaf').text).toContain('Differentiable everywhere.');
    expect(shown('{type: kaf, kernel: relu}').text).toContain('Not differentiable at its dictionary’s elements.');
    expect(shown('{type: spline, points: 7, boundary: 3}').text).toContain('its ends at x = ±2,');
  });

  it('draws none that is no function of one input', () => {
    for (const activation of ['kaf-2d', 'k-wta', 'maxout']) expect(shown(activation).svg, activation).toBeNull();
  });

  it('is the same at every look', () => {
    expect(shown('kaf')).toEqual(shown('kaf'));
  });
});

it('the numbers that channels are drawn by are normal', () => {
  const z = fixedNormals(10_000);
  const mean = (of: (z: number) => number) => z.reduce((sum, one) => sum + of(one), 0) / z.length;
  expect(Math.abs(mean((one) => one))).toBeLessThan(0.04);
  expect(Math.abs(mean((one) => one ** 2) - 1)).toBeLessThan(0.06);
  expect(Math.abs(mean((one) => one ** 4) - 3)).toBeLessThan(0.4);
});
