import { expect, test } from 'vitest';
import { equationText, layerText, placesName } from '../../../webview/text/layerText.ts';

const kaf = { dictionary: [-3, 0, 3], gamma: 1.6713, base: 'none' } as const;
const spline = { dictionary: [-2, -1, 1, 2], spline: 'b-spline' } as const;

test('a kernel activation function has a dictionary and a bandwidth, a spline knots and a basis', () => {
  expect(`${placesName(kaf)} ${layerText(kaf)}`).toBe('dictionary 3 on [−3.0, 3.0] · γ 1.67');
  expect(`${placesName(spline)} ${layerText(spline)}`).toBe('knots 4 on [−2.0, 2.0] · b-spline');
});

test('other kernels than Gaussian alone are named, and a bandwidth only where there is one', () => {
  expect(layerText({ ...kaf, kernelNames: ['gaussian', 'relu'] })).toBe('3 on [−3.0, 3.0] · Gaussian + ReLU · γ 1.67');
  expect(layerText({ ...kaf, kernelNames: ['softplus'] })).toBe('3 on [−3.0, 3.0] · softplus');
  expect(equationText({ ...kaf, kernelNames: ['relu'] })).toBe('f(x) = Σ αᵢ max(0, x−dᵢ)');
  expect(equationText({ ...kaf, kernelNames: ['relu', 'gaussian'] })).toBe('f(x) = ΣΣ αₘᵢ κₘ(x, dᵢ)');
});

test('the equation tells the base', () => {
  expect(equationText(kaf)).toBe('f(x) = Σ αᵢ exp(−γ(x−dᵢ)²)');
  expect(equationText({ ...kaf, base: 'swish' })).toBe('f(x) = swish(x) + Σ αᵢ exp(−γ(x−dᵢ)²)');
  expect(equationText(spline)).toBe('f(x) = uᵀB·[qᵢ₋₁, qᵢ, qᵢ₊₁, qᵢ₊₂]');
});
