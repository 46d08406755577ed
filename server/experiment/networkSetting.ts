// The networks an experiment may name, from their table, and the one that it declares itself in layers.
import { namedNetworks, networkAliases, type NamedNetwork } from '../network/named/named.ts';
import { layersSetting } from './layersSetting.ts';
import { number, variants } from './setting.ts';

/** Those with a name: their numbers, as the table has them. */
const named = Object.fromEntries(
  Object.entries(namedNetworks as Readonly<Record<string, NamedNetwork>>).map(([name, { description, keys }]) => {
    const settings = Object.entries(keys).map(([key, { description: meaning, byDefault, min, max, unit }]) => {
      const options = { isInteger: true, ...(unit === undefined ? {} : { unit }) };
      return [key, number(meaning, { min, max }, byDefault, options)] as const;
    });
    return [name, { description, keys: Object.fromEntries(settings) }] as const;
  }),
) as unknown as NamedVariants;

type Table = typeof namedNetworks;
type NamedVariants = {
  readonly [T in keyof Table]: {
    readonly description: string;
    readonly keys: { readonly [K in keyof Table[T]['keys']]: typeof aNumber };
  };
};
const aNumber = number('', { min: 0, max: 1 }, 0);

const { resnet20, resnet56 } = networkAliases;

export const networkSetting = variants(
  'The architecture.',
  'type',
  {
    ...named,
    resnet20: { description: resnet20.description, keys: {} },
    resnet56: { description: resnet56.description, keys: {} },
    layers: {
      description: 'A network of your own, layer by layer: `network: {layers: [...]}`.',
      keys: { layers: layersSetting },
    },
  },
  { computed: 'light; mlp for tables and arrays' },
);
