// The gradient of an op of x and trained coefficients, which one kernel computes together.
import * as tf from '@tensorflow/tfjs-core';

/**
 * Of the kernel `Kafscope…`: that of the same name with `Grad` behind takes dy, x and the coefficients, and gives dx and their gradients in
 * that order. Under the attribute `gradients: 'input'` it leaves these out, and whoever asks for one gets an error.
 * @param op as its errors call it
 */
export function trainedGradient(kernelName: string, op: string, coefficients: readonly string[]): tf.GradConfig {
  return {
    kernelName,
    inputsToSave: ['x', ...coefficients],
    gradFunc: (dy, saved, attrs) => {
      const [x, ...values] = saved;
      const inputs = { dy, x, ...Object.fromEntries(coefficients.map((name, i) => [name, values[i]])) };
      const made = tf.engine().runKernel<tf.Tensor[]>(`${kernelName}Grad`, inputs as tf.NamedTensorMap, attrs);
      const [dx, ...others] = made as [tf.Tensor, ...tf.Tensor[]];
      const ofCoefficients = coefficients.map((name, i) => [
        name,
        () => {
          if (attrs['gradients'] === 'input')
            throw new Error(`${op}: no gradient with respect to ${name} under gradients: 'input'`);
          return others[i]!;
        },
      ]);
      return { x: () => dx, ...(Object.fromEntries(ofCoefficients) as Record<string, () => tf.Tensor>) };
    },
  };
}
