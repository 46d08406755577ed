// How kernels may be drawn, as a setting made from the table of initializers.
import { initializerNames, initializers, type KernelInitializer } from '../protocol/initializers.ts';
import { number, variants } from './setting.ts';

const keys = {
  gain: number('What the drawn values of kernels are multiplied by.', { min: 0, max: 100, isMinExcluded: true }, 1),
};

const choices = Object.fromEntries(
  initializerNames.map((name) => {
    const { description, equation } = initializers[name];
    return [name, { description, equation, keys }] as const;
  }),
) as unknown as Readonly<
  Record<KernelInitializer, { readonly description: string; readonly equation: string; readonly keys: typeof keys }>
>;

export const initializerSetting = variants(
  'How the kernels of all convolutions and dense layers are drawn before training.',
  'type',
  choices,
  { computed: "each layer's own: he-uniform convolutions and glorot-uniform dense layers, but for residual networks" },
);
