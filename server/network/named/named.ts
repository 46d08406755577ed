// The networks that an experiment may name, each declared in layers as an experiment's own may be: what the experiment file says of
// them and how a plan of them is laid out are made from this table.
import type { LayerPlan, ModelPlan, NetworkPlan } from '../../protocol/plan.ts';
import { cnn5, mlp } from './kafPaper.ts';
import { light, vgg } from './plain.ts';
import { preactResnet18, resnet } from './resnet.ts';

export interface NamedNetwork {
  /** One line; section numbers are those of Peconi (2020). */
  readonly description: string;
  /** Its numbers, all of them whole. */
  readonly keys: Readonly<Record<string, NetworkKey>>;
  /** λ of the penalties on kernels where the experiment names none. */
  readonly denseL2: number;
  readonly convolutionL2: number;
  /** Drop rates where the experiment names none, one for each dropout layer. */
  readonly dropout: (numbers: Numbers) => readonly number[];
  readonly layers: (numbers: Numbers, dropout: readonly number[]) => readonly LayerPlan[];
}

interface NetworkKey {
  readonly description: string;
  readonly byDefault: number;
  readonly min: number;
  readonly max: number;
  readonly unit?: string;
}

type Numbers = Readonly<Record<string, number>>;

const residual =
  'conv 16, three stages of blocks of two convolutions (16, 32, 64 channels), global average pooling, one dense layer';

const ofThesis = { keys: {}, denseL2: 0.0012, convolutionL2: 0 } as const;
/** Of the thesis's residual networks, on all kernels. */
const residualL2 = { denseL2: 5e-4, convolutionL2: 5e-4 } as const;
const none = () => [];

export const namedNetworks = {
  light: {
    ...ofThesis,
    description: 'Light CNN (§6.1): 2 × conv 32, 2 × conv 64, global average pooling, dense 128, dense 10.',
    dropout: () => [0.2, 0.3, 0.4],
    layers: (_, dropout) => light(dropout),
  },
  vgg: {
    ...ofThesis,
    description: 'VGG-inspired CNN (§7.1): 2 × conv 32, 2 × conv 64, 2 × conv 128, dense 128, dense 10.',
    dropout: () => [0.2, 0.25, 0.3, 0.4],
    layers: (_, dropout) => vgg(dropout),
  },
  resnet: {
    ...residualL2,
    description: `Residual network of any depth (7.1): ${residual}.`,
    keys: {
      depth: {
        description: '6n + 2, with n blocks a stage.',
        ...{ byDefault: 20, min: 8, max: 1202, unit: 'layers' },
      },
    },
    dropout: none,
    layers: ({ depth = 20 }) => resnet(depth),
  },
  'preact-resnet18': {
    description:
      'Pre-activation residual network of depth 18 (He et al., 2016), the one of Wong, Rice & Kolter (2020): 64, 128, 256, 512 channels, no biases.',
    ...{ keys: {}, denseL2: 0, convolutionL2: 0, dropout: none },
    layers: () => preactResnet18(),
  },
  cnn5: {
    description:
      'CNN of Table 4.1: blocks of conv 150 of 5×5, maximum pooling over 3×3 with stride 2 and dropout; no batch normalisation.',
    keys: {
      blocks: {
        description: 'How many blocks; the table says 5, the author ran 4 and 2. Up to 4 pool without padding.',
        ...{ byDefault: 5, min: 1, max: 5, unit: 'blocks' },
      },
    },
    ...{ denseL2: 1e-4, convolutionL2: 1e-4 },
    dropout: ({ blocks = 5 }) => Array.from({ length: blocks }, () => 0.25),
    layers: ({ blocks = 5 }, dropout) => cnn5(blocks, dropout),
  },
  mlp: {
    description: 'Fully connected network of Table 4.1, for data that are no pictures.',
    keys: {
      hiddenLayers: {
        description: 'How many hidden layers.',
        ...{ byDefault: 3, min: 1, max: 64, unit: 'layers' },
      },
      units: { description: 'Units of each hidden layer.', byDefault: 100, min: 1, max: 65_536, unit: 'units' },
    },
    ...{ denseL2: 1e-4, convolutionL2: 0, dropout: none },
    layers: ({ hiddenLayers = 3, units = 100 }) => mlp(hiddenLayers, units),
  },
} as const satisfies Readonly<Record<string, NamedNetwork>>;

/** Names that stand for one with a number. */
export const networkAliases = {
  resnet20: { description: `Residual network of depth 20 (§7.2): ${residual}.`, plan: { type: 'resnet', depth: 20 } },
  resnet56: { description: `Residual network of depth 56 (§7.2): ${residual}.`, plan: { type: 'resnet', depth: 56 } },
} as const satisfies Readonly<Record<string, { readonly description: string; readonly plan: NetworkPlan }>>;

/** The entry of a network with a name, and its numbers; null for declared layers. */
export function namedNetwork(network: NetworkPlan): { readonly entry: NamedNetwork; readonly numbers: Numbers } | null {
  if (typeof network === 'string') return { entry: namedNetworks[network], numbers: {} };
  if (network.type === 'layers') return null;
  const { type, ...numbers } = network;
  return { entry: namedNetworks[type], numbers };
}

/** The layers of a plan's network, whether it has a name or declares them. */
export function layersOf({ network, dropout }: Pick<ModelPlan, 'network' | 'dropout'>): readonly LayerPlan[] {
  if (typeof network !== 'string' && network.type === 'layers') return network.layers;
  const { entry, numbers } = namedNetwork(network)!;
  return entry.layers(numbers, dropout);
}
