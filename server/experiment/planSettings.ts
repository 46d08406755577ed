// A plan as the keys and values of an experiment file, one a line of a table: what two runs differ in, by the names that a person writes.
import { parse } from 'yaml';
import type { Plan } from '../protocol/plan.ts';
import type { PlanSettings } from '../protocol/messages.ts';
import { writeExperiment } from './writeExperiment.ts';

/** By path, like `training.schedule.max` or `evaluation[0].epsilon`. */
export function planSettings(plan: Plan): PlanSettings {
  const settings: Record<string, string | number | boolean> = {};
  const walk = (path: string, value: unknown): void => {
    if (Array.isArray(value)) {
      // Short lists are one value: nobody compares the ends of a shape apart.
      if (value.every((each) => typeof each !== 'object')) settings[path] = `[${value.join(', ')}]`;
      else
        value.forEach((each, index) => {
          walk(`${path}[${String(index)}]`, each);
        });
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) walk(path === '' ? key : `${path}.${key}`, inner);
    } else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      settings[path] = value;
  };
  walk('', parse(writeExperiment(plan)));
  return settings;
}
