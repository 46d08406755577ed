// A run's network as what its picture is made of: layers one below the other, ways side by side, each with its figures in words.
import { floatsOf, multiplyAddsOf, parametersOf } from '../../server/network/costs.ts';
import type { LayerLayout } from '../../server/network/layout.ts';
import type { RunSnapshot } from '../../server/protocol/snapshot.ts';
import { layerLines, normAt, type NormLine, type NormQuantity } from '../curves/normTable.ts';

export type NetworkQuantity = NormQuantity | 'parameters' | 'multiplyAdds' | 'memory';

/** Ways side by side, then what they come together to. */
export interface NetworkPart {
  readonly layer: LayerLayout;
  readonly ways: readonly (readonly NetworkPart[])[];
}

export function partsOf(layers: readonly LayerLayout[]): NetworkPart[] {
  return layers.map((layer) => {
    if (layer.type === 'residual') return { layer, ways: [partsOf(layer.branch), partsOf(layer.skip)] };
    return { layer, ways: layer.type === 'concat' ? layer.ways.map(partsOf) : [] };
  });
}

/** For example `conv 3×3 / 2`: what a layer is, in a few characters. */
export function kindText(layer: LayerLayout): string {
  switch (layer.type) {
    case 'convolution':
      return `conv ${layer.size}×${layer.size}${strideText(layer.stride)}`;
    case 'max-pool':
    case 'average-pool':
      return `${layer.type} ${layer.size}×${layer.size}${strideText(layer.stride)}`;
    case 'dropout':
      return `dropout ${layer.rate}`;
    case 'group-norm':
      return `group norm of ${layer.groups}`;
    case 'batch-norm':
      return 'batch norm';
    case 'layer-norm':
      return 'layer norm';
    case 'activation':
      return layer.activation.type;
    case 'residual':
      return layer.isScaled ? 'sum, branch × s' : 'sum';
    case 'concat':
      return 'side by side';
    case 'global-average-pool':
      return 'global average pool';
    case 'flatten':
    case 'dense':
      return layer.type;
    default:
      return layer satisfies never;
  }
}

function strideText(stride: number): string {
  return stride === 1 ? '' : ` / ${stride}`;
}

/** `32×32×64` or `128`. */
export function shapeText(shape: readonly number[]): string {
  return shape.join('×');
}

/** What the picture's colours show of each layer; NaN where it has none. */
export class LayerFigures {
  readonly #snapshot: RunSnapshot;
  readonly #lines: ReadonlyMap<string, NormLine>;

  constructor(snapshot: RunSnapshot) {
    this.#snapshot = snapshot;
    this.#lines = new Map(layerLines(snapshot.prepared?.parameters ?? []).map((line) => [line.layer, line]));
  }

  /** The layer's tensors, as the norms have them; undefined where nothing of it is trained. */
  line(layer: LayerLayout): NormLine | undefined {
    return this.#lines.get(layer.name);
  }

  of(layer: LayerLayout, quantity: NetworkQuantity): number {
    switch (quantity) {
      case 'parameters':
        return layer.type === 'residual' || layer.type === 'concat' ? Number.NaN : parametersOf(layer) || Number.NaN;
      case 'multiplyAdds':
        return layer.type === 'residual' || layer.type === 'concat' ? Number.NaN : multiplyAddsOf(layer) || Number.NaN;
      case 'memory':
        return memoryOf(layer, this.#snapshot.plan.training.batchSize);
      default: {
        const { norms } = this.#snapshot;
        const line = this.line(layer);
        if (!line || norms.step.length === 0) return Number.NaN;
        return normAt(norms, quantity, line, norms.step.length - 1);
      }
    }
  }
}

/** Bytes of what the layer makes of a batch, in float32; NaN where it makes nothing of its own. */
export function memoryOf(layer: LayerLayout, batchSize: number): number {
  const isView = layer.type === 'flatten' || (layer.type === 'dropout' && layer.rate === 0);
  return isView ? Number.NaN : 4 * batchSize * floatsOf(layer.output);
}

/** All layers in the order in which they are drawn. */
export function flatParts(parts: readonly NetworkPart[]): LayerLayout[] {
  return parts.flatMap(({ layer, ways }) => [...ways.flatMap(flatParts), layer]);
}

/** The smallest and the largest positive value; null where there is none. */
export function extentOf(values: readonly number[]): { low: number; high: number } | null {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  return positive.length === 0 ? null : { low: Math.min(...positive), high: Math.max(...positive) };
}
