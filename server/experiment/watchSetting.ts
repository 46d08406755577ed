// The watch over adversarial training, as a setting.
import { methodEntry, methodNames } from '../protocol/methodTable.ts';
import { number, optionalGroup, word } from './setting.ts';

const integer = { isInteger: true };
const watched = methodNames.filter((name) => methodEntry(name).isSingleStep).join(', ');

export const watchSetting = optionalGroup(
  'A watch for catastrophic overfitting, by images that are kept back (dataset.validationSamples) or else trained on: accuracy under one step and under many, and the cosine of input gradients.',
  {
    everySteps: number('A look every so many steps.', { min: 1, max: 1_000_000 }, 50, { ...integer, unit: 'steps' }),
    samples: number('Images looked at.', { min: 1, max: 10_000 }, 32, { ...integer, unit: 'images' }),
    steps: number('Steps of the PGD, each of a quarter of ε.', { min: 1, max: 1000 }, 10, {
      ...integer,
      unit: 'steps',
    }),
    gap: number(
      'It has collapsed where so much more of the images withstand one step than many, and at most half as many withstand many as at best; three times as much where so many never withstood many.',
      { min: 0, max: 1, isMinExcluded: true },
      0.1,
    ),
    onCollapse: word(
      'What is done then.',
      {
        tell: { description: 'The run says so, and goes on.' },
        stop: { description: 'The run ends as stopped, with a checkpoint.' },
        'roll-back': {
          description:
            'Training goes on, with smaller steps, from the weights of the last look at which more than half as many withstood many as at best.',
        },
      },
      'tell',
    ),
    factor: number(
      'What the learning rate is multiplied by after going back.',
      { min: 0, max: 1, isMinExcluded: true },
      0.5,
    ),
  },
  `every 50 steps for ${watched}, off for others`,
  { off: { description: 'No watch.' } },
);
