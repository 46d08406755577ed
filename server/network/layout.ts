// A network's layers laid out over a sample: repetitions written out, every layer with its name and the shapes that it takes and makes.
// Runs anywhere; tensors are in server/model.
import type { KernelInitializer } from '../protocol/initializers.ts';
import { mapsOf, type ActivationPlan, type LayerPlan, type ModelPlan, type Padding } from '../protocol/plan.ts';
import { activationKind, maxLayers } from './activations.ts';
import { layersOf } from './named/named.ts';
import { NetworkError, shapeText } from './networkError.ts';

/** Of a sample: height, width and channels of a feature map, or units. */
export type Shape = readonly number[];

interface Placed {
  /** Of its tensors, for example `block2.conv1`. */
  readonly name: string;
  /** Where a declared network has it, for example `layers[3].repeat.layers[0]`. */
  readonly path: string;
  readonly input: Shape;
  /** Of what maxout follows, so many times as wide as the layer says: each linear map has its own. */
  readonly output: Shape;
}

export type LayerLayout =
  | ConvolutionLayout
  | DenseLayout
  | ({ readonly type: 'batch-norm' | 'layer-norm' } & Placed)
  | ({ readonly type: 'group-norm'; readonly groups: number } & Placed)
  | ActivationLayout
  /** The `index`-th (0, 1, …) of the network. */
  | ({ readonly type: 'dropout'; readonly index: number; readonly rate: number } & Placed)
  | PoolLayout
  | ({ readonly type: 'global-average-pool' | 'flatten' } & Placed)
  | ResidualLayout
  | ({ readonly type: 'concat'; readonly ways: readonly (readonly LayerLayout[])[] } & Placed);

export interface ConvolutionLayout extends Placed {
  readonly type: 'convolution';
  readonly size: number;
  readonly stride: number;
  readonly padding: Padding;
  readonly hasBias: boolean;
  readonly initializer: KernelInitializer;
  /** Whether its input is the sample, whose gradient training doesn't need. */
  readonly isFirst: boolean;
}

export interface DenseLayout extends Placed {
  readonly type: 'dense';
  readonly hasBias: boolean;
  readonly initializer: KernelInitializer;
  readonly isFirst: boolean;
}

export interface ActivationLayout extends Placed {
  readonly type: 'activation';
  readonly activation: ActivationPlan;
}

export interface PoolLayout extends Placed {
  readonly type: 'max-pool' | 'average-pool';
  readonly size: number;
  readonly stride: number;
  readonly padding: Padding;
}

/** The sum of two ways from the same input; a skip without layers is the input itself, `tiles` times side by side. */
export interface ResidualLayout extends Placed {
  readonly type: 'residual';
  readonly branch: readonly LayerLayout[];
  readonly skip: readonly LayerLayout[];
  readonly tiles: number;
  readonly isScaled: boolean;
}

/** What a network begins and ends with. */
export interface NetworkEnds {
  readonly sampleShape: Shape;
  readonly nClasses: number;
  /** What the network makes of a sample, where it is not a value for each class: 1 with binary cross-entropy. */
  readonly nOutputs?: number;
}

/** @throws NetworkError where shapes don't fit, names are given twice or there are too many layers. */
export function layOutNetwork(
  model: Pick<ModelPlan, 'network' | 'activation' | 'dropout'>,
  ends: NetworkEnds,
): readonly LayerLayout[] {
  const layers = layersOf(model);
  const walk = new Walk(model.activation, ends);
  const sample = { shape: ends.sampleShape, maps: 1, isSample: true };
  const { layouts, flow } = walk.sequence(layers, 'layers', sample, walk.top, 1);
  const output = flow.shape;
  const nOutputs = ends.nOutputs ?? ends.nClasses;
  if (output.length !== 1 || output[0] !== nOutputs) {
    throw new NetworkError(`layers[${layers.length - 1}]`, {
      expected: `[${nOutputs}], ${nOutputs === 1 ? 'one value for both classes' : 'a value for each class'}, from the last layer`,
      got: shapeText(output),
      remedy:
        output.length === 1
          ? 'End with "- dense: classes".'
          : 'End with "- global-average-pool" or "- flatten", and "- dense: classes".',
    });
  }
  return layouts;
}

/** Every layer that is none of others, in the order of the forward pass. */
export function flatLayers(layers: readonly LayerLayout[]): LayerLayout[] {
  return layers.flatMap((layer) => {
    if (layer.type === 'residual') return [...flatLayers(layer.branch), ...flatLayers(layer.skip)];
    return layer.type === 'concat' ? layer.ways.flatMap(flatLayers) : [layer];
  });
}

/** What flows from layer to layer. */
interface Flow {
  readonly shape: Shape;
  /** Of maxout side by side, until it takes the largest. */
  readonly maps: number;
  /** Whether it is the sample, as it came. */
  readonly isSample: boolean;
}

/** Where names are counted: the network, or a block of it. */
interface Scope {
  readonly prefix: string;
  readonly counts: Map<string, number>;
}

interface Laid {
  readonly layouts: readonly LayerLayout[];
  readonly flow: Flow;
}

class Walk {
  readonly top: Scope = { prefix: '', counts: new Map() };
  readonly #activation: ActivationPlan;
  readonly #ends: NetworkEnds;
  readonly #names = new Set<string>();
  #nBlocks = 0;
  #nDropouts = 0;
  #nLayers = 0;

  constructor(activation: ActivationPlan, ends: NetworkEnds) {
    this.#activation = activation;
    this.#ends = ends;
  }

  /** `mapsBehind` are those of the maxout that follows the whole sequence; 1 where none does. */
  sequence(layers: readonly LayerPlan[], path: string, input: Flow, scope: Scope, mapsBehind: number): Laid {
    const layouts: LayerLayout[] = [];
    let flow = input;
    layers.forEach((layer, index) => {
      const at = `${path}[${index}]`;
      // A normalisation makes no maps: nothing behind it matters to it.
      const behind = isNorm(layer) ? 1 : this.#mapsOfNext(layers, index + 1, mapsBehind);
      const laid = this.#layer(layer, at, flow, scope, behind);
      for (const layout of laid.layouts) layouts.push(layout);
      flow = laid.flow;
    });
    return { layouts, flow };
  }

  /** How many maps a linear layer before the layers from `from` on makes: maxout may come behind normalisations only. */
  #mapsOfNext(layers: readonly LayerPlan[], from: number, mapsBehind: number): number {
    for (let index = from; index < layers.length; index++) {
      const layer = layers[index]!;
      if (layer.type === 'activation') return mapsOf(layer.activation ?? this.#activation);
      if (layer.type === 'block' || layer.type === 'repeat') return this.#mapsOfNext(layer.layers, 0, 1);
      if (!isNorm(layer)) return 1;
    }
    return mapsBehind;
  }

  #layer(layer: LayerPlan, path: string, flow: Flow, scope: Scope, mapsBehind: number): Laid {
    const input = flow.shape;
    if (++this.#nLayers > maxLayers) {
      const got = `more than ${maxLayers}`;
      throw new NetworkError(path, { expected: `at most ${maxLayers} layers`, got, remedy: 'Repeat fewer times.' });
    }
    if (flow.maps > 1 && layer.type !== 'activation' && !isNorm(layer) && !isGroup(layer)) {
      throw maxoutError(path, `a ${layer.type} layer`);
    }
    const one = (type: object, name: string, output: Shape, maps = 1): Laid => ({
      layouts: [{ ...type, name, path, input, output } as unknown as LayerLayout],
      flow: { shape: output, maps, isSample: false },
    });
    switch (layer.type) {
      case 'conv': {
        const { size, stride, padding, bias: hasBias, initializer } = layer;
        const [height, width] = this.#windowed(layer, path, input, size);
        const type = { type: 'convolution', size, stride, padding, hasBias, initializer, isFirst: flow.isSample };
        const name = this.#name(layer, 'conv', scope, path);
        return one(type, name, [height, width, layer.channels * mapsBehind], mapsBehind);
      }
      case 'dense': {
        if (input.length !== 1) {
          const remedy = 'Put "- flatten" or "- global-average-pool" before it.';
          throw new NetworkError(path, { expected: 'units [n] before a dense layer', got: shapeText(input), remedy });
        }
        const units = layer.units === 'classes' ? (this.#ends.nOutputs ?? this.#ends.nClasses) : layer.units;
        const { bias: hasBias, initializer } = layer;
        const name = this.#name(layer, 'dense', scope, path);
        return one(
          { type: 'dense', hasBias, initializer, isFirst: flow.isSample },
          name,
          [units * mapsBehind],
          mapsBehind,
        );
      }
      case 'batch-norm':
        return one({ type: layer.type }, this.#name(layer, 'bn', scope, path), input, flow.maps);
      case 'layer-norm':
        return one({ type: layer.type }, this.#name(layer, 'ln', scope, path), input, flow.maps);
      case 'group-norm': {
        const [groups, channels] = [layer.groups, input.at(-1)!];
        if (channels % groups !== 0) {
          const remedy = 'Choose a number of groups that divides the channels.';
          throw new NetworkError(path, { expected: `a divisor of ${channels} channels`, got: String(groups), remedy });
        }
        return one({ type: layer.type, groups }, this.#name(layer, 'gn', scope, path), input, flow.maps);
      }
      case 'activation': {
        const activation = layer.activation ?? this.#activation;
        const maps = mapsOf(activation);
        if (maps !== flow.maps) {
          throw maxoutError(path, this.#nLayers === 1 ? 'the sample' : 'no such layer', activation.type);
        }
        const name = this.#name(layer, 'activation', scope, path, activationKind(activation));
        return one({ type: layer.type, activation }, name, [...input.slice(0, -1), input.at(-1)! / maps]);
      }
      case 'dropout': {
        const index = this.#nDropouts++;
        return one({ type: layer.type, index, rate: layer.rate }, `dropout${index + 1}`, input);
      }
      case 'max-pool':
      case 'average-pool': {
        const { type, size, stride, padding } = layer;
        const [height, width] = this.#windowed(layer, path, input, size);
        return one({ type, size, stride, padding }, this.#count('pool', scope), [height, width, input[2]!]);
      }
      case 'global-average-pool':
        return one({ type: layer.type }, this.#count('pool', scope), [this.#map(path, input, layer.type)[2]]);
      case 'flatten': {
        const units = input.reduce((total, size) => total * size, 1);
        const { layouts } = one({ type: layer.type }, this.#count('flatten', scope), [units]);
        return { layouts, flow: { ...flow, shape: [units] } };
      }
      case 'repeat': {
        const layouts: LayerLayout[] = [];
        let next = flow;
        const again = this.#mapsOfNext(layer.layers, 0, mapsBehind);
        for (let time = 1; time <= layer.times; time++) {
          const behind = time < layer.times ? again : mapsBehind;
          const laid = this.sequence(layer.layers, `${path}.repeat.layers`, next, scope, behind);
          for (const layout of laid.layouts) layouts.push(layout);
          next = laid.flow;
        }
        return { layouts, flow: next };
      }
      case 'block': {
        const inner = { prefix: `block${++this.#nBlocks}.`, counts: new Map<string, number>() };
        return this.sequence(layer.layers, `${path}.block`, flow, inner, mapsBehind);
      }
      case 'residual':
        return this.#residual(layer, path, flow, scope, mapsBehind);
      case 'concat':
        return this.#concat(layer, path, flow, scope);
      default:
        return layer satisfies never;
    }
  }

  #residual(
    layer: Extract<LayerPlan, { type: 'residual' }>,
    path: string,
    flow: Flow,
    scope: Scope,
    mapsBehind: number,
  ): Laid {
    const input = flow.shape;
    const branch = this.sequence(layer.branch, `${path}.residual.branch`, flow, scope, mapsBehind);
    const skip = this.sequence(layer.skip, `${path}.residual.skip`, flow, scope, mapsBehind);
    const { shape: output, maps } = branch.flow;
    // Each of maxout's maps has its own last layer in the branch, and the same input on a skip without layers.
    const tiles = skip.layouts.length === 0 ? maps : 1;
    const through = skip.flow.shape.map((size, axis, all) => (axis === all.length - 1 ? size * tiles : size));
    if (shapeText(output) !== shapeText(through)) {
      throw new NetworkError(path, {
        expected: `a skip of the branch's shape ${shapeText(output)}`,
        got: shapeText(through),
        remedy:
          layer.skip.length === 0
            ? 'Give it a skip with a convolution of the same channels and stride, or keep the shape in the branch.'
            : 'Make channels and strides of both ways alike.',
      });
    }
    const residual: ResidualLayout = {
      type: 'residual',
      ...{ name: this.#count('sum', scope), path, input, output },
      ...{ branch: branch.layouts, skip: skip.layouts, tiles, isScaled: layer.scale === 'trained' },
    };
    return { layouts: [residual], flow: { shape: output, maps, isSample: false } };
  }

  #concat(layer: Extract<LayerPlan, { type: 'concat' }>, path: string, flow: Flow, scope: Scope): Laid {
    const ways = layer.ways.map((way, index) => this.sequence(way, `${path}.concat[${index}]`, flow, scope, 1));
    const [first] = ways.map((way) => way.flow.shape);
    const place = (shape: Shape) => shapeText(shape.slice(0, -1));
    ways.forEach(({ flow: { shape } }, index) => {
      if (place(shape) === place(first!)) return;
      throw new NetworkError(`${path}.concat[${index}]`, {
        expected: `the height and width of the first way, ${shapeText(first!)}`,
        got: shapeText(shape),
        remedy: 'Give the ways the same strides, and padding "same".',
      });
    });
    const channels = ways.reduce((sum, way) => sum + way.flow.shape.at(-1)!, 0);
    const output = [...first!.slice(0, -1), channels];
    const layouts = ways.map((way) => way.layouts);
    const concat: LayerLayout = {
      ...{ type: 'concat', name: this.#count('concat', scope), path },
      ...{ input: flow.shape, output, ways: layouts },
    };
    return { layouts: [concat], flow: { shape: output, maps: 1, isSample: false } };
  }

  /** Height and width after a window has moved over a feature map. */
  #windowed(
    { type, stride, padding }: { readonly type: string; readonly stride: number; readonly padding: Padding },
    path: string,
    input: Shape,
    size: number,
  ): [number, number] {
    const [height, width] = this.#map(path, input, type);
    if (padding === 'same') return [Math.ceil(height / stride), Math.ceil(width / stride)];
    if (height < size || width < size) {
      const expected = `a map of at least ${size}×${size} for ${type} without padding`;
      throw new NetworkError(path, {
        expected,
        got: shapeText(input),
        remedy: 'Use padding: same, or pool less before.',
      });
    }
    return [Math.floor((height - size) / stride) + 1, Math.floor((width - size) / stride) + 1];
  }

  #map(path: string, input: Shape, type: string): readonly [number, number, number] {
    const [height, width, channels] = input;
    if (height !== undefined && width !== undefined && channels !== undefined) return [height, width, channels];
    const remedy = 'It takes pictures or feature maps: put it before "flatten", or use dense layers.';
    throw new NetworkError(path, {
      expected: `[height, width, channels] before ${type}`,
      got: shapeText(input),
      remedy,
    });
  }

  /** `shown` where a layer is called otherwise than it is counted. */
  #name(layer: { readonly name?: string }, kind: string, scope: Scope, path: string, shown = kind): string {
    const counted = this.#count(kind, scope, shown);
    const name = layer.name === undefined ? counted : `${scope.prefix}${layer.name}`;
    if (this.#names.has(name)) {
      const remedy = 'Leave the name out, or put what is repeated into a block.';
      throw new NetworkError(path, { expected: 'a name that no other layer has', got: JSON.stringify(name), remedy });
    }
    this.#names.add(name);
    return name;
  }

  #count(kind: string, { prefix, counts }: Scope, shown = kind): string {
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return `${prefix}${shown}${count}`;
  }
}

function isNorm({ type }: LayerPlan): boolean {
  return type === 'batch-norm' || type === 'layer-norm' || type === 'group-norm';
}

/** Layers that are only written together. */
function isGroup({ type }: LayerPlan): boolean {
  return type === 'block' || type === 'repeat';
}

function maxoutError(path: string, got: string, type = 'maxout'): NetworkError {
  return new NetworkError(path, {
    expected: `a convolution, dense layer or sum with normalisations alone between it and ${type}, whose ${type === 'maxout' ? 'maps' : 'pairs'} it makes`,
    got,
    remedy: `Move ${type} behind such a layer, or choose another activation here.`,
  });
}
