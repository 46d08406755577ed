// What of an activation matters to the layers around it.
import { isKaf, type ActivationPlan } from '../protocol/plan.ts';

/** What its layers are called: every KAF alike. */
export function activationKind(activation: ActivationPlan): string {
  return isKaf(activation) ? 'kaf' : activation.type;
}

/** How many linear maps it takes the largest of. */
export function mapsOf(activation: ActivationPlan): number {
  return activation.type === 'maxout' ? activation.maps : 1;
}
