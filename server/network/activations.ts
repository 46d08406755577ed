// The activation functions of a network: what of one matters to the layers around it, and which layer has which.
import { isKaf, type ActivationPlan, type LayerPlan, type ModelPlan } from '../protocol/plan.ts';
import { layersOf } from './named/named.ts';

/** Of a network with all repetitions. */
export const maxLayers = 20_000;

/** What its layers are called: every KAF alike. */
export function activationKind(activation: ActivationPlan): string {
  if (isKaf(activation)) return 'kaf';
  return activation.type === 'kaf-2d' ? 'kaf2d' : activation.type;
}

export interface ActivationPlace {
  /** Of its layer, as in the layout. */
  readonly name: string;
  /** Of the layer where it is declared, for example `layers[3].repeat.layers[0]`. */
  readonly path: string;
  /** Whether it is the layer's alone, not the model's. */
  readonly isOwn: boolean;
  readonly activation: ActivationPlan;
}

/**
 * In the order of the forward pass. Needs no shapes, so that a plan or a checkpoint alone tells: those of the first layers where
 * there are more than a network may have, which its layout refuses.
 */
export function activationsOf(model: Pick<ModelPlan, 'network' | 'activation' | 'dropout'>): ActivationPlace[] {
  const places: ActivationPlace[] = [];
  let nBlocks = 0;
  let nLayers = 0;
  const visit = (
    layers: readonly LayerPlan[],
    path: string,
    scope: { readonly prefix: string; count: number },
  ): void => {
    for (const [index, layer] of layers.entries()) {
      if (++nLayers > maxLayers) return;
      const at = `${path}[${index}]`;
      switch (layer.type) {
        case 'activation': {
          const activation = layer.activation ?? model.activation;
          const name = layer.name ?? `${activationKind(activation)}${scope.count + 1}`;
          scope.count++;
          places.push({ name: `${scope.prefix}${name}`, path: at, isOwn: layer.activation !== null, activation });
          break;
        }
        case 'repeat':
          for (let time = 0; time < layer.times && nLayers <= maxLayers; time++)
            visit(layer.layers, `${at}.repeat.layers`, scope);
          break;
        case 'block':
          visit(layer.layers, `${at}.block`, { prefix: `block${++nBlocks}.`, count: 0 });
          break;
        case 'residual':
          visit(layer.branch, `${at}.residual.branch`, scope);
          visit(layer.skip, `${at}.residual.skip`, scope);
          break;
        case 'concat':
          layer.ways.forEach((way, number) => visit(way, `${at}.concat[${number}]`, scope));
          break;
        default:
          break;
      }
    }
  };
  visit(layersOf(model), 'layers', { prefix: '', count: 0 });
  return places;
}
