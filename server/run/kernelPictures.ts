// A part of a tensor's values as pictures, read where they lie: of a tensor of any size no more than is shown.
import type { KernelPictures } from '../protocol/checkpoint.ts';
import { kernelLayout, kernelPage, kernelPages } from '../protocol/kernelLayout.ts';
import { checkpointOrigin } from './checkpointFile.ts';
import { BadCheckpointError, dtypeBytes, SafetensorsFile } from './safetensors.ts';
import { readValues } from './tensorValues.ts';

export interface KernelQuestion {
  readonly tensor: string;
  /** Input channel of the filters; 0 of a matrix. */
  readonly input: number;
  readonly page: number;
}

/** @throws BadCheckpointError where the file, or what was asked for of it, is not there */
export function readKernel(file: string, { tensor: name, input, page }: KernelQuestion): KernelPictures {
  const stored = new SafetensorsFile(file);
  try {
    const tensor = stored.tensors.find((one) => one.name === name);
    const layout = tensor && kernelLayout(tensor.shape, checkpointOrigin(stored) !== null);
    if (!layout || input >= layout.inputs || page >= kernelPages(layout)) {
      throw new BadCheckpointError(`${file} has no such kernel "${name}". It may have changed: read it again.`);
    }
    const { firstOutput, firstRow, firstColumn, count, height, width } = kernelPage(layout, page);
    const values = new Float32Array(count * height * width);
    /** Values that lie one behind the other in the file. */
    const read = (first: number, length: number): ArrayLike<number> => {
      const bytes = dtypeBytes[tensor.dtype];
      return readValues(tensor.dtype, stored.readRange(tensor, first * bytes, length * bytes));
    };
    if (layout.kind === 'matrix') {
      for (let row = 0; row < height; row++) {
        values.set(read((firstRow + row) * layout.width + firstColumn, width), row * width);
      }
    } else if (layout.order === 'oihw') {
      const size = height * width;
      for (let picture = 0; picture < count; picture++) {
        values.set(read(((firstOutput + picture) * layout.inputs + input) * size, size), picture * size);
      }
    } else {
      for (let place = 0; place < height * width; place++) {
        const ofAll = read((place * layout.inputs + input) * layout.outputs + firstOutput, count);
        for (let picture = 0; picture < count; picture++) values[picture * height * width + place] = ofAll[picture]!;
      }
    }
    return { file, tensor: name, input, page, values };
  } finally {
    stored.close();
  }
}
