// A plan as text that reads like the experiment file it came from, and the short phrases that panels say of it.
import type { EvaluationPlan, Plan, SchedulePlan } from '../../server/protocol/plan.ts';
import { formatCount, formatFraction, formatNumber } from './numbers.ts';

/** YAML-like, two spaces an indent, 255ths as fractions. For reading, not for parsing. */
export function planText(plan: Plan): string {
  return block(plan, '').join('\n');
}

/** `triangular 0.01 → 1` */
export function scheduleText(schedule: SchedulePlan): string {
  return schedule.type === 'constant'
    ? `constant ${formatPlain(schedule.learningRate)}`
    : `triangular ${formatPlain(schedule.min)} → ${formatPlain(schedule.max)}`;
}

/** `ε 8/255 · α 2/255 · 50 steps × 10 restarts · 1,000 images` */
export function evaluationText(plan: EvaluationPlan, samples: number): string {
  const restarts = `${plan.restarts.toString()} ${plan.restarts === 1 ? 'restart' : 'restarts'}`;
  return `ε ${formatFraction(plan.epsilon)} · α ${formatFraction(plan.stepSize)} · ${formatCount(plan.steps)} steps × ${restarts} · ${formatCount(samples)} images`;
}

const fractionKeys = new Set(['epsilon', 'stepSize']);

function block(value: object, indent: string): string[] {
  return Object.entries(value).flatMap(([key, child]: [string, unknown]) => {
    if (isBlock(child)) {
      return Array.isArray(child)
        ? [`${indent}${key}:`, ...child.flatMap((item: object) => listItem(item, `${indent}  `))]
        : [`${indent}${key}:`, ...block(child, `${indent}  `)];
    }
    return [`${indent}${key}: ${scalar(key, child)}`];
  });
}

function listItem(item: object, indent: string): string[] {
  return block(item, `${indent}  `).map((line, index) => (index === 0 ? `${indent}- ${line.trimStart()}` : line));
}

function isBlock(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) ? value.some((item) => typeof item === 'object') : true;
}

function scalar(key: string, value: unknown): string {
  if (typeof value === 'number') return fractionKeys.has(key) ? formatFraction(value) : formatPlain(value);
  if (Array.isArray(value)) return `[${value.map((item) => scalar(key, item)).join(', ')}]`;
  if (typeof value === 'string' && (value === '' || /[:#{}[\],&*?|<>=!%@\\]|^\s|\s$/.test(value)))
    return JSON.stringify(value);
  return String(value);
}

function formatPlain(value: number): string {
  return Number.isInteger(value)
    ? value.toString()
    : formatNumber(Number(value.toPrecision(6)), 6).replace(/\.?0+$/, '');
}
