// Writes learning rates into an experiment's text, where its schedule has its own, and leaves all else as it stands: comments, order and
// spacing.
import { isMap, isScalar, parseDocument, type Document } from 'yaml';
import { readSettings } from './readSettings.ts';
import { parseExperimentText, resolveAlias } from './experimentText.ts';
import { parentNames } from './parentNames.ts';
import { experimentSettings } from './settings.ts';

export interface LearningRates {
  readonly min: number;
  readonly max: number;
}

/**
 * A schedule with `min` and `max` gets both; one with a single rate, and a text without a schedule, the larger. What stands in the text
 * is replaced in its place; a key that is missing is added.
 * @throws Error where the text is no YAML mapping.
 */
export function applyLearningRate(text: string, { min, max }: LearningRates): string {
  const { values } = readSettings(experimentSettings, parseExperimentText(text), parentNames());
  const rates = 'max' in values.training.schedule ? { min, max } : { learningRate: max };
  return Object.entries(rates).reduce((changed, [key, rate]) => withRate(changed, key, rate), text);
}

function withRate(text: string, key: string, rate: number): string {
  const document = parseDocument(text);
  if (document.errors.length > 0 || (document.contents !== null && !isMap(document.contents))) {
    throw new Error('The learning rate can be written into an experiment only once its text is right. Mend it first.');
  }
  const path = ['training', 'schedule', key];
  const node = document.getIn(path, true);
  if (isScalar(node) && node.range && resolveAlias(document, node) === node) {
    const [start, end] = node.range;
    return `${text.slice(0, start)}${String(rate)}${text.slice(end)}`;
  }
  return withNewKey(document, path, rate);
}

/** Where the key has no place yet, the document is written anew: comments stay, spacing may change. */
function withNewKey(document: Document, path: readonly string[], rate: number): string {
  const schedule = document.getIn(path.slice(0, 2), true);
  // `schedule: triangular` stands for a mapping with that type.
  if (isScalar(schedule)) document.setIn(path.slice(0, 2), document.createNode({ type: schedule.value }));
  document.setIn(path, rate);
  return document.toString({ lineWidth: 0 });
}
