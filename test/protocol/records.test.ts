import { expect, it } from 'vitest';
import { coefficientsOf } from '../../server/protocol/records.ts';

it('the trained tensor of an activation is called by what it holds', () => {
  expect([{ formula: 'a·x' }, { spline: 'b-spline' }, { gamma: 1 }].map(coefficientsOf)).toEqual([
    'coefficients',
    'points',
    'alpha',
  ]);
});
