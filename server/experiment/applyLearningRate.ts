// Learning rates into an experiment's text, where its schedule has its own.
import { parseExperimentText } from './experimentText.ts';
import { parentNames } from './parentNames.ts';
import { readSettings } from './readSettings.ts';
import { experimentSettings } from './settings.ts';
import { withValue } from './withValue.ts';

export interface LearningRates {
  readonly min: number;
  readonly max: number;
}

/** A schedule with `min` and `max` gets both; one with a single rate, and a text without a schedule, the larger. @throws as `withValue` */
export function applyLearningRate(text: string, { min, max }: LearningRates): string {
  const { values } = readSettings(experimentSettings, parseExperimentText(text), parentNames());
  const rates = 'max' in values.training.schedule ? { min, max } : { learningRate: max };
  return Object.entries(rates).reduce(
    (changed, [key, rate]) =>
      withValue(changed, { path: ['training', 'schedule', key], tag: 'type', what: 'The learning rate' }, rate),
    text,
  );
}
