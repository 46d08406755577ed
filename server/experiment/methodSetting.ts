// The training methods that an experiment may name, and the threats that they defend against, as settings made from the table of
// methods (protocol/methodTable.ts).
import { methodEntry, methodNames, type MethodName } from '../protocol/methodTable.ts';
import { declaredSettings } from './declaredSetting.ts';
import { number, variants, type Setting } from './setting.ts';

/** Read values go to `completeMethod`, which fills in what is undefined. */
type Methods = {
  readonly [M in MethodName]: {
    readonly description: string;
    readonly equation: string;
    readonly keys: Readonly<Record<never, Setting>>;
  };
};

const methods = Object.fromEntries(
  methodNames.map((name) => {
    const { description, equation, keys } = methodEntry(name);
    return [name, { description, equation, keys: declaredSettings(keys) }] as const;
  }),
) as unknown as Methods;

export const methodSetting = variants('What the network is trained on.', 'type', methods, 'standard');

const inDeviations = 'For tables in standard deviations of each column instead of pixel values.';
const inPixels = { isPixelLength: true, unit: 'pixel values of [0, 1]' };

const threatKeys = <const D extends string | number>(max: number, epsilon: D) => ({
  epsilon: number(
    `ε, the largest perturbation. ${inDeviations}`,
    { min: 0, max, isMinExcluded: true },
    epsilon,
    inPixels,
  ),
  stepSize: number(
    'α, the length of each step.',
    { min: 0, max, isMinExcluded: true },
    { computed: stepSizesText() },
    inPixels,
  ),
});

export const threatSetting = {
  ...variants(
    'The perturbations that adversarial training defends against.',
    'norm',
    {
      linf: {
        description: 'Largest change of any pixel value (3.3).',
        equation: '‖δ‖∞ ≤ ε',
        keys: threatKeys(1, '8/255'),
      },
      l2: {
        description: `Euclidean length (3.4), for ${namesOf('l2')}.`,
        equation: '‖δ‖₂ ≤ ε',
        keys: threatKeys(100, 0.5),
      },
    },
    { computed: 'none for standard, else linf with epsilon 8/255' },
  ),
  defaultVariant: 'linf',
};

/** `epsilon for fgsm, n-fgsm, free; 1.25 · epsilon for …` */
function stepSizesText(): string {
  const attacked = methodNames.filter((name) => methodEntry(name).norms.length > 0);
  const sizes = [...new Set(attacked.map((name) => methodEntry(name).stepSize))].sort((a, b) => b - a);
  return sizes
    .map((size) => {
      const names = attacked.filter((name) => methodEntry(name).stepSize === size).join(', ');
      return `${size === 1 ? '' : `${String(size)} · `}epsilon for ${names}`;
    })
    .join('; ');
}

function namesOf(norm: 'linf' | 'l2'): string {
  return methodNames.filter((name) => methodEntry(name).norms.includes(norm)).join(', ');
}
