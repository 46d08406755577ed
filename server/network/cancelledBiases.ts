// Biases that do nothing: the normalisation behind them takes the mean of the batch away, and them with it.
import type { LayerLayout } from './layout.ts';

/**
 * Names of the biases of linear layers whose output goes into a batch normalisation and nowhere else, `conv1.bias`. Their gradient is 0
 * but for rounding, so its size says nothing of the network.
 */
export function cancelledBiases(layers: readonly LayerLayout[], follower: LayerLayout | null = null): string[] {
  return layers.flatMap((layer, index) => {
    const next = layers[index + 1] ?? follower;
    switch (layer.type) {
      case 'residual':
        return [...cancelledBiases(layer.branch, next), ...cancelledBiases(layer.skip, next)];
      case 'concat':
        return layer.ways.flatMap((way) => cancelledBiases(way, next));
      case 'convolution':
      case 'dense':
        return layer.hasBias && next?.type === 'batch-norm' ? [`${layer.name}.bias`] : [];
      default:
        return [];
    }
  });
}
