// Memory of a backward pass. tfjs keeps every intermediate gradient, and everything saved on the way forward, until the pass ends:
// about twice of what one needs at any time.
import * as tf from '@tensorflow/tfjs-core';

interface TapeNode {
  readonly saved?: tf.Tensor[];
  gradient?: (dys: (tf.Tensor | null)[]) => tf.NamedTensorMap;
}

/**
 * Frees what a layer saved and the gradient that came to it as soon as the layer before it has its turn. To be called at the end
 * of the function that tfjs differentiates. Every gradient function must return tensors of its own, never the one it was given.
 */
export function releaseTape(): void {
  const { activeTape } = tf.engine().state as unknown as { activeTape: TapeNode[] };
  let used: tf.Tensor[] = [];
  for (const node of activeTape) {
    const { gradient, saved = [] } = node;
    if (!gradient) continue;
    node.gradient = (dys) => {
      tf.dispose(used);
      used = [...dys.filter((dy) => dy !== null), ...saved];
      return gradient(dys);
    };
  }
}
