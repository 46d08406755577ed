// What the plans of evaluations and of training methods must be before they are trusted, on the wire and on a disk; made from their
// declarations.
import { z } from 'zod';
import { isPixelLength, placeCharacters, type AttackKey, type AttackKeys, type NumberKey } from './attackKey.ts';
import { evaluationKeys, evaluationNames, type EvaluationName } from './evaluationTable.ts';
import type { EvaluationPlan } from './evaluationPlan.ts';
import { methodEntry, methodNames, type MethodPlan } from './methodTable.ts';

const perAttack = evaluationNames.map((attack) =>
  z.strictObject({ attack: z.literal(attack), ...shapeOf(evaluationKeys(attack)) }),
);

/** Keys that came after a plan was written get what such plans did. */
export const evaluationPlanSchema = z
  .discriminatedUnion('attack', perAttack as [(typeof perAttack)[0]])
  .superRefine((plan: { readonly attack: EvaluationName; readonly [key: string]: unknown }, context) => {
    if (plan['norm'] !== 'linf') return;
    for (const [name, key] of Object.entries(evaluationKeys(plan.attack))) {
      const values = [plan[name]].flat().filter((value) => typeof value === 'number');
      if (isPixelLength(key) && values.some((value) => value > 1))
        context.addIssue({ code: 'custom', path: [name], message: 'expected at most 1 with norm linf' });
    }
  }) as unknown as z.ZodType<EvaluationPlan, unknown>;

const perMethod = methodNames.map((type) =>
  z.strictObject({ type: z.literal(type), ...shapeOf(methodEntry(type).keys) }),
);

/** Plans of version 0.1 have the name alone. */
export const methodPlanSchema = z.preprocess(
  (value) => (typeof value === 'string' ? { type: value } : value),
  z.discriminatedUnion('type', perMethod as [(typeof perMethod)[0]]),
) as unknown as z.ZodType<MethodPlan, unknown>;

function shapeOf(keys: AttackKeys): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, schemaOf(key)]));
}

function schemaOf(key: AttackKey): z.ZodType {
  const schema = bareSchema(key);
  return key.before === undefined ? schema : schema.default(key.before as never);
}

function bareSchema(key: AttackKey): z.ZodType {
  switch (key.kind) {
    case 'number':
      return numberSchema(key);
    case 'choice':
      return z.enum(Object.keys(key.choices));
    case 'list':
      return z.array(numberSchema(key.item)).max(key.maxLength);
    case 'place':
      return z.string().min(1, `expected ${key.expected}`).max(placeCharacters);
    default:
      return key satisfies never;
  }
}

function numberSchema({ isInteger, min, max, isMinExcluded, isMaxExcluded }: NumberKey): z.ZodNumber {
  let schema: z.ZodNumber = isInteger ? z.int() : z.number();
  schema = isMinExcluded ? schema.gt(min) : schema.min(min);
  return isMaxExcluded ? schema.lt(max) : schema.max(max);
}
