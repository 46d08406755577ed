// NVIDIA's GPUs by the names that plans have for them, and the variable by which a process is shown some of them only.

export const visibleGpus = 'CUDA_VISIBLE_DEVICES';

/** Like `cuda:1`, counted among those that this process sees. */
export function nameOfGpu(index: number): string {
  return `cuda:${index}`;
}

/**
 * Leaves this process one of the GPUs that it sees; to be called before a library looks for them.
 * @param name like `cuda:1`; any other is of no GPU, and changes nothing
 */
export function showOneGpu(name: string, env: NodeJS.ProcessEnv = process.env): void {
  const index = Number(/^cuda:(\d+)$/.exec(name)?.[1] ?? NaN);
  if (Number.isNaN(index)) return;
  // Those of the variable are numbered by their place in it, and may be named by letters there.
  const shown = env[visibleGpus]?.split(',').map((one) => one.trim());
  env[visibleGpus] = shown ? (shown[index] ?? '') : String(index);
}
