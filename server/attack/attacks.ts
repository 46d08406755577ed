// The list of attacks: which file has the algorithm of which name. AutoAttack is made of others (protocol/attackTable.ts).
import type { AttackName } from '../protocol/attackTable.ts';
import { apgdCe, apgdDlr, apgdT } from './apgd.ts';
import type { Attack } from './attack.ts';
import { cw } from './cw.ts';
import { deepFool } from './deepFool.ts';
import { fab, fabT } from './fab.ts';
import { fgsm } from './fgsm.ts';
import { nes } from './nes.ts';
import { noise } from './noise.ts';
import { pgd } from './pgd.ts';
import { square } from './square.ts';
import { transfer } from './transfer.ts';

export type SimpleAttackName = Exclude<AttackName, 'autoattack'>;

export const attacks: { readonly [A in SimpleAttackName]: Attack<A> } = {
  pgd,
  fgsm,
  noise,
  transfer,
  'apgd-ce': apgdCe,
  'apgd-dlr': apgdDlr,
  'apgd-t': apgdT,
  square,
  fab,
  'fab-t': fabT,
  deepfool: deepFool,
  cw,
  nes,
};
