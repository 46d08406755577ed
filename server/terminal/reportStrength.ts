// By how much less a strong attack leaves than the others on the same weights and images: what weaker figures flattered.
import type { EvaluationSoFar } from '../attack/evaluationState.ts';
import { evaluationEntry } from '../protocol/evaluationTable.ts';
import { evaluationTitle, isAttackPlan } from '../protocol/evaluationPlan.ts';
import { discordance } from '../protocol/mcNemar.ts';

export interface Strengthened {
  readonly strong: EvaluationSoFar;
  readonly weaker: EvaluationSoFar;
  readonly samples: number;
  /** Images that stand under each. */
  readonly standing: { readonly strong: number; readonly weaker: number };
  /** Images that stand under the strong attack and fell to the weaker one. */
  readonly missed: number;
}

/** Of one run: each strong attack beside each other one that is worth the name, at the same norm and ε and on as many images. */
export function strengthened(all: readonly EvaluationSoFar[]): Strengthened[] {
  const attacks = all.filter(({ plan, state }) => isAttackPlan(plan) && state !== null);
  const of = (strength: 'usual' | 'strong') =>
    attacks.filter(({ plan }) => evaluationEntry(plan.attack).strength === strength);
  return of('strong').flatMap((strong) =>
    of('usual')
      .filter((weaker) => isComparable(strong, weaker))
      .map((weaker) => {
        const [outcomes, others] = [strong.state!.outcomes, weaker.state!.outcomes];
        const { onlyFirst } = discordance(outcomes, others);
        const standing = { strong: standingIn(outcomes), weaker: standingIn(others) };
        return { strong, weaker, samples: outcomes.length, standing, missed: onlyFirst };
      }),
  );
}

/** For example `AutoAttack standard leaves 23 of 64 images standing, 4 fewer (6.3 %) than PGD-50-10`. */
export function strengthText({ strong, weaker, samples, standing, missed }: Strengthened): string {
  const fewer = standing.weaker - standing.strong;
  const share = ((100 * Math.abs(fewer)) / samples).toFixed(1);
  const much =
    fewer === 0 ? 'as many as' : `${String(Math.abs(fewer))} ${fewer > 0 ? 'fewer' : 'more'} (${share} %) than`;
  const kept = missed === 0 ? '' : `; ${String(missed)} that stand fell to ${evaluationTitle(weaker.plan)}`;
  return `${evaluationTitle(strong.plan)} leaves ${String(standing.strong)} of ${String(samples)} images standing, ${much} ${evaluationTitle(weaker.plan)}${kept}`;
}

function isComparable(strong: EvaluationSoFar, weaker: EvaluationSoFar): boolean {
  return (
    strong.step === weaker.step &&
    strong.plan.norm === weaker.plan.norm &&
    strong.plan.epsilon === weaker.plan.epsilon &&
    strong.state!.outcomes.length === weaker.state!.outcomes.length
  );
}

function standingIn(outcomes: Uint8Array): number {
  return outcomes.filter((outcome) => outcome === 2).length;
}
