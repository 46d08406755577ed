// The layers that an experiment may declare, with their numbers; what a list of them means as a plan, and a plan's as a list again.
import { initializers, type KernelInitializer } from '../protocol/initializers.ts';
import type { LayerPlan, Padding } from '../protocol/plan.ts';
import { activationSetting } from './activationSetting.ts';
import { flag, group, keyedVariants, number, recursiveList, text, word } from './setting.ts';
import type { ValueOf, VariantSetting } from './setting.ts';

const integer = { isInteger: true };
const anyName = text('What its tensors are called.', 'name', 60, { computed: 'its kind and number' });
const named = { name: anyName };

const padding = (byDefault: Padding) =>
  word(
    'What is around the edges.',
    {
      same: { description: 'Zeros, so that the map keeps its size (divided by the stride, rounded up).' },
      valid: { description: 'Nothing: windows stay inside.' },
    },
    byDefault,
  );

const initializer = (byDefault: KernelInitializer) =>
  word('Where the kernel’s values are drawn from before training.', initializers, byDefault);

const size = (byDefault: number, description: string) =>
  number(description, { min: 1, max: 31 }, byDefault, { ...integer, unit: 'pixels' });

const pool = group(
  'The window.',
  {
    size: size(2, 'Length of the window’s sides.'),
    stride: number('From window to window.', { min: 1, max: 31 }, { computed: 'the size' }, integer),
    padding: padding('valid'),
  },
  { shorthand: 'size' },
);

const nothing = group('Nothing to choose.', {});

/** Of its own key; without a value, the model's. */
const activation = {
  ...activationSetting,
  description: 'The activation function of this layer.',
  defaultText: 'the model’s',
  isDefaultComputed: true,
  defaultVariant: undefined,
};

/** Layers that hold no others. */
const single = {
  conv: {
    description: 'Convolution over a feature map.',
    keys: {
      conv: group(
        'Its channels and window.',
        {
          channels: number('Channels that it makes.', { min: 1, max: 65_536 }, 32, { ...integer, unit: 'channels' }),
          size: size(3, 'Length of the window’s sides: 1, 3, 5, 7 are usual.'),
          stride: number('From window to window.', { min: 1, max: 8 }, 1, integer),
          padding: padding('same'),
          bias: flag('Whether a trained value is added to each channel.', true),
          initializer: initializer('he-uniform'),
          ...named,
        },
        { shorthand: 'channels' },
      ),
    },
  },
  dense: {
    description: 'Dense layer: every unit from all units before; behind flatten or global-average-pool.',
    keys: {
      dense: group(
        'Its units.',
        {
          units: number('Units that it makes.', { min: 1, max: 1_000_000 }, 'classes', {
            ...integer,
            unit: 'units',
            words: { classes: { description: 'As many as the data set has classes: the last layer.' } },
          }),
          bias: flag('Whether a trained value is added to each unit.', true),
          initializer: initializer('glorot-uniform'),
          ...named,
        },
        { shorthand: 'units' },
      ),
    },
  },
  activation: {
    description: 'The model’s activation function, or another for this layer alone.',
    keys: { activation },
  },
  'batch-norm': {
    description: 'Batch normalisation of each channel (2.22, 2.23).',
    equation: 'γ(x − μ)/√(σ² + ε) + β, μ and σ² over the batch',
    keys: { 'batch-norm': group('Its name.', named) },
  },
  'layer-norm': {
    description: 'Layer normalisation (Ba, Kiros & Hinton, 2016): each sample by itself, over all of its values.',
    equation: 'γ(x − μ)/√(σ² + ε) + β, μ and σ² over the sample',
    keys: { 'layer-norm': group('Its name.', named) },
  },
  'group-norm': {
    description: 'Group normalisation (Wu & He, 2018): each sample by itself, over groups of its channels.',
    equation: 'γ(x − μ)/√(σ² + ε) + β, μ and σ² over a group of channels of the sample',
    keys: {
      'group-norm': group(
        'Its groups.',
        {
          groups: number('Into how many groups the channels go.', { min: 1, max: 65_536 }, 8, {
            ...integer,
            unit: 'groups',
          }),
          ...named,
        },
        { shorthand: 'groups' },
      ),
    },
  },
  dropout: {
    description: 'Dropout (2.20, 2.21): sets a share of the values to 0 in training.',
    keys: {
      dropout: number('Share of values dropped.', { min: 0, max: 1, isMaxExcluded: true }, 0.5),
    },
  },
  'max-pool': { description: 'Largest value of each window.', keys: { 'max-pool': pool } },
  'average-pool': { description: 'Mean of each window.', keys: { 'average-pool': pool } },
  'global-average-pool': {
    description: 'Mean of each channel over the whole map (§2.5).',
    keys: { 'global-average-pool': nothing },
  },
  flatten: { description: 'A feature map as units.', keys: { flatten: nothing } },
} as const;

type Single = typeof single;
/** Undefined stands for a layer that could not be read. */
type Layers = readonly (LayerValues | undefined)[] | undefined;

/** A layer as it is read: its kind, and what was chosen of it. */
export type LayerValues =
  | {
      [P in Exclude<keyof Single, 'activation'>]: {
        readonly [K in P]: ValueOf<Single[P]['keys'][K & keyof Single[P]['keys']]>;
      };
    }[Exclude<keyof Single, 'activation'>]
  | { readonly activation: ActivationValues | undefined }
  | { readonly repeat: { readonly times: number; readonly layers: Layers } }
  | { readonly block: Layers }
  | { readonly residual: { readonly branch: Layers; readonly skip: Layers; readonly scale: 'none' | 'trained' } }
  | { readonly concat: readonly Layers[] | undefined };

type ActivationValues = ValueOf<typeof activationSetting>;

/** Read as `LayerValues`. */
const layer = (): VariantSetting => everyLayer;

const listed = (description: string, computed: string) =>
  recursiveList<LayerValues>('layers', description, layer, { maxLength: 1000, computed });

export const layersSetting = listed('Layers, one after another.', 'none');

const holding = {
  repeat: {
    description: 'The same layers several times, each time with weights of their own.',
    keys: {
      repeat: group('What, and how often.', {
        times: number('How often.', { min: 1, max: 1000 }, 2, integer),
        layers: layersSetting,
      }),
    },
  },
  block: {
    description: 'Layers under a name of their own: their tensors are called block1.conv1 and so on.',
    keys: { block: layersSetting },
  },
  residual: {
    description: 'Residual sum (He et al., 2016): what comes in, plus what the branch makes of it.',
    equation: 'y = skip(x) + s·branch(x)',
    keys: {
      residual: group('The two ways.', {
        branch: layersSetting,
        skip: listed('Layers of the other way; needed where the shape changes.', '[], the input itself'),
        scale: word(
          's, a factor of the branch.',
          {
            none: { description: '1.' },
            trained: {
              description: 'Trained from 0, so that the sum begins as its skip (SkipInit: De & Smith, 2020).',
            },
          },
          'none',
        ),
      }),
    },
  },
  concat: {
    description: 'Several ways from the same input, their channels side by side (inception: Szegedy et al., 2015).',
    keys: {
      concat: recursiveList<Layers>('ways', 'The ways.', () => layersSetting, {
        minLength: 1,
        maxLength: 32,
        computed: 'none',
      }),
    },
  },
} as const;

const everyLayer: VariantSetting = keyedVariants('A layer.', { ...single, ...holding }, '{conv: 32}');

/** Layers as a plan has them. */
export function layerPlans(
  values: Layers,
  planActivation: (written: ActivationValues) => Extract<LayerPlan, { type: 'activation' }>['activation'],
): LayerPlan[] {
  const plan = (each: LayerValues): LayerPlan => {
    if ('conv' in each) return { type: 'conv', ...withoutNothing(each.conv) };
    if ('dense' in each) return { type: 'dense', ...withoutNothing(each.dense) };
    if ('batch-norm' in each) return { type: 'batch-norm', ...withoutNothing(each['batch-norm']) };
    if ('layer-norm' in each) return { type: 'layer-norm', ...withoutNothing(each['layer-norm']) };
    if ('group-norm' in each) return { type: 'group-norm', ...withoutNothing(each['group-norm']) };
    if ('dropout' in each) return { type: 'dropout', rate: each.dropout };
    if ('max-pool' in each) return { type: 'max-pool', ...window(each['max-pool']) };
    if ('average-pool' in each) return { type: 'average-pool', ...window(each['average-pool']) };
    if ('global-average-pool' in each) return { type: 'global-average-pool' };
    if ('flatten' in each) return { type: 'flatten' };
    if ('repeat' in each) return { type: 'repeat', times: each.repeat.times, layers: plans(each.repeat.layers) };
    if ('block' in each) return { type: 'block', layers: plans(each.block) };
    if ('residual' in each) {
      const { branch, skip, scale } = each.residual;
      return { type: 'residual', branch: plans(branch), skip: plans(skip), scale };
    }
    if ('concat' in each) return { type: 'concat', ways: (each.concat ?? []).map(plans) };
    const own = each.activation;
    return { type: 'activation', activation: own === undefined ? null : planActivation(own) };
  };
  const plans = (all: Layers): LayerPlan[] => (all ?? []).flatMap((each) => (each ? [plan(each)] : []));
  return plans(values);
}

function window({ size, stride, padding: around }: ValueOf<typeof pool>) {
  return { size, stride: stride ?? size, padding: around };
}

function withoutNothing<T extends { readonly name: string | undefined }>({
  name,
  ...rest
}: T): Omit<T, 'name'> & { readonly name?: string } {
  return { ...rest, ...(name === undefined ? {} : { name }) };
}

/** As they would stand in a file. */
export function layerValues(
  layersOfPlan: readonly LayerPlan[],
  activationValues: (plan: NonNullable<Extract<LayerPlan, { type: 'activation' }>['activation']>) => object,
): unknown[] {
  const values = (all: readonly LayerPlan[]) => layerValues(all, activationValues);
  return layersOfPlan.map((each) => {
    const { type, ...rest } = each;
    switch (each.type) {
      case 'activation':
        return each.activation === null ? type : { activation: activationValues(each.activation) };
      case 'dropout':
        return { dropout: each.rate };
      case 'repeat':
        return { repeat: { times: each.times, layers: values(each.layers) } };
      case 'block':
        return { block: values(each.layers) };
      case 'residual':
        return { residual: { branch: values(each.branch), skip: values(each.skip), scale: each.scale } };
      case 'concat':
        return { concat: each.ways.map(values) };
      default:
        return Object.keys(rest).length === 0 ? type : { [type]: rest };
    }
  });
}
