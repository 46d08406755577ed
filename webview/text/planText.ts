// The short phrases that panels say of a plan.
import { isPixelLength, type AttackKey } from '../../server/protocol/attackKey.ts';
import { weightsWord } from '../../server/protocol/attackFigures.ts';
import { evaluationKeys } from '../../server/protocol/evaluationTable.ts';
import type { EvaluationPlan, SchedulePlan } from '../../server/protocol/plan.ts';
import type { EvaluationStartedRecord } from '../../server/protocol/records.ts';
import { formatCount, formatFraction, formatNumber } from './numbers.ts';

/** `triangular 0.01 → 1` */
export function scheduleText(schedule: SchedulePlan): string {
  const { type } = schedule;
  return 'max' in schedule
    ? `${type} ${formatPlain(schedule.min)} → ${formatPlain(schedule.max)}`
    : `${type} ${formatPlain(schedule.learningRate)}`;
}

/** `averaged weights` where they are the moving average of those that were trained. */
export function weightsText(started: Pick<EvaluationStartedRecord, 'weights' | 'plan'>): string {
  return `${weightsWord(started)} weights`.trimStart();
}

/** `L∞ · ε 8/255 · step size α 2/255 · steps 50 · restarts 10 · loss margin · 1,000 images`; without what is switched off. */
export function evaluationText(plan: EvaluationPlan, samples: number): string {
  const shared = ['norm', 'epsilon', 'samples', 'batchSize', 'weights', 'protocol'];
  const own = Object.entries(evaluationKeys(plan.attack)).flatMap(([name, key]) => {
    const value: unknown = { ...plan }[name as keyof EvaluationPlan];
    const isOff = value === 0 || value === 'none' || (Array.isArray(value) && value.length === 0);
    if (shared.includes(name) || isOff) return [];
    return [`${key.label ?? name} ${valueText(key, value)}`];
  });
  const norm = plan.norm === 'linf' ? 'L∞' : 'L2';
  return [norm, `ε ${formatFraction(plan.epsilon)}`, ...own, `${formatCount(samples)} images`].join(' · ');
}

function valueText(key: AttackKey, value: unknown): string {
  if (Array.isArray(value)) return value.map((one) => valueText(key, one)).join(', ');
  if (typeof value !== 'number') return String(value);
  if (isPixelLength(key)) return formatFraction(value);
  return Number.isInteger(value) ? formatCount(value) : formatPlain(value);
}

function formatPlain(value: number): string {
  return Number.isInteger(value)
    ? value.toString()
    : formatNumber(Number(value.toPrecision(6)), 6).replace(/\.?0+$/, '');
}
