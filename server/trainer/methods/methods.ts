// The list of training methods: which file has the algorithm of which name (protocol/methodTable.ts).
import type { MethodName, MethodPlan, PlanOfMethod } from '../../protocol/methodTable.ts';
import { ensemble } from './ensemble.ts';
import { fgsm } from './fgsm.ts';
import { fgsmRs } from './fgsmRs.ts';
import { free } from './free.ts';
import { gradAlign } from './gradAlign.ts';
import type { MakeMethod, MethodSurroundings, TrainingMethod } from './method.ts';
import { nFgsm } from './nFgsm.ts';
import { pgd } from './pgd.ts';
import { standard } from './standard.ts';
import { trades } from './trades.ts';

const methods: { readonly [M in MethodName]: MakeMethod<M> } = {
  standard,
  'fgsm-rs': fgsmRs,
  fgsm,
  'n-fgsm': nFgsm,
  pgd,
  free,
  trades,
  gradalign: gradAlign,
  ensemble,
};

export function makeMethod<M extends MethodName>(around: MethodSurroundings, plan: MethodPlan): TrainingMethod {
  return methods[plan.type as M](around, plan as unknown as PlanOfMethod<M>);
}
