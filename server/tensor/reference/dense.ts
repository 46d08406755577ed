// Float64 reference of a dense layer and its gradients.

/** x `[B, I]` · kernel `[I, O]` + bias `[O]`. */
export function dense(x: Float64Array, kernel: Float64Array, bias: Float64Array, nInputs: number): Float64Array {
  const nOutputs = bias.length;
  return new Float64Array((x.length / nInputs) * nOutputs).map((_, n) => {
    const sample = Math.floor(n / nOutputs);
    const output = n % nOutputs;
    let sum = bias[output]!;
    for (let i = 0; i < nInputs; i++) sum += x[sample * nInputs + i]! * kernel[i * nOutputs + output]!;
    return sum;
  });
}

export function denseGradients(
  dy: Float64Array,
  x: Float64Array,
  kernel: Float64Array,
  nInputs: number,
): { dx: Float64Array; dkernel: Float64Array; dbias: Float64Array } {
  const nOutputs = kernel.length / nInputs;
  const dx = new Float64Array(x.length);
  const dkernel = new Float64Array(kernel.length);
  const dbias = new Float64Array(nOutputs);
  dy.forEach((value, n) => {
    const sample = Math.floor(n / nOutputs);
    const output = n % nOutputs;
    dbias[output] = dbias[output]! + value;
    for (let i = 0; i < nInputs; i++) {
      dx[sample * nInputs + i] = dx[sample * nInputs + i]! + value * kernel[i * nOutputs + output]!;
      dkernel[i * nOutputs + output] = dkernel[i * nOutputs + output]! + value * x[sample * nInputs + i]!;
    }
  });
  return { dx, dkernel, dbias };
}
