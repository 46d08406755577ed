// The list of attacks: which file has the algorithm of which name.
import type { AttackName } from '../protocol/attackTable.ts';
import type { Attack } from './attack.ts';
import { pgd } from './pgd.ts';

export const attacks: { readonly [A in AttackName]: Attack<A> } = {
  pgd,
};
