// NVIDIA's compiler at run time, which lies beside PyTorch in its environment: CUDA C to PTX.
import fs from 'node:fs';
import path from 'node:path';
import type { Binding } from '../torch.ts';

/**
 * @param folder with libnvrtc and its built-in functions: `nvidia/cu13/lib` of the folder of packages
 * @param architecture like `compute_80`
 * @throws Error with the compiler's own words, or where there is none in the folder
 */
export function compileCuda(binding: Binding, folder: string, source: string, architecture: string): string {
  const [builtins, compiler] = ['libnvrtc-builtins', 'libnvrtc'].map((name) => {
    const found = fs.readdirSync(folder).find((file) => file.startsWith(`${name}.so.`));
    if (found === undefined) throw new Error(`there is no ${name} in ${folder}`);
    return path.join(folder, found);
  }) as [string, string];
  // The compiler asks for them by name alone; what is loaded already is found so, wherever it lies.
  binding.open(builtins);
  return binding.compileCuda(compiler, source, architecture);
}
