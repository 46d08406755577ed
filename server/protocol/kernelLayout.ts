// How a tensor is shown as pictures: a convolution's filters, one an output channel, at one input channel; a matrix by parts.

export interface KernelLayout {
  readonly kind: 'filters' | 'matrix';
  /** Of a filter, or of the whole matrix. */
  readonly height: number;
  readonly width: number;
  /** Channels; 1 of a matrix. */
  readonly inputs: number;
  readonly outputs: number;
  /** Whether the file has filters as `[height, width, in, out]`, as Kafscope writes them, or as `[out, in, height, width]`. */
  readonly order: 'hwio' | 'oihw';
}

/** The pictures of a page, in their order. */
export interface KernelPage {
  /** Output channel of the first filter; 0 of a matrix. */
  readonly firstOutput: number;
  /** Of the first value of a matrix's part; 0 of filters. */
  readonly firstRow: number;
  readonly firstColumn: number;
  readonly count: number;
  readonly height: number;
  readonly width: number;
}

const filtersAPage = 64;
/** Rows, and columns, of a matrix that are shown at once. */
const matrixSide = 64;
const largestFilter = 32;

/**
 * Null where the tensor is neither a matrix nor a convolution with filters of at most 32 × 32.
 * @param isOurs whether Kafscope wrote the file; of another program's the two equal, or smaller, sides are the filter's
 */
export function kernelLayout(shape: readonly number[], isOurs: boolean): KernelLayout | null {
  if (shape.some((size) => size === 0)) return null;
  if (shape.length === 2) {
    const [height, width] = shape as [number, number];
    return { kind: 'matrix', height, width, inputs: 1, outputs: 1, order: 'hwio' };
  }
  if (shape.length !== 4) return null;
  const [a, b, c, d] = shape as [number, number, number, number];
  const order = isOurs || hasFilterFirst(shape as [number, number, number, number]) ? 'hwio' : 'oihw';
  const [height, width, inputs, outputs] = order === 'hwio' ? [a, b, c, d] : [c, d, b, a];
  if (Math.max(height, width) > largestFilter) return null;
  return { kind: 'filters', height, width, inputs, outputs, order };
}

export function kernelPages(layout: KernelLayout): number {
  if (layout.kind === 'filters') return Math.ceil(layout.outputs / filtersAPage);
  return Math.ceil(layout.height / matrixSide) * Math.ceil(layout.width / matrixSide);
}

/** @param page 0 … `kernelPages` − 1; of a matrix its parts row by row */
export function kernelPage({ kind, height, width, outputs }: KernelLayout, page: number): KernelPage {
  if (kind === 'filters') {
    const firstOutput = page * filtersAPage;
    const count = Math.min(filtersAPage, outputs - firstOutput);
    return { firstOutput, firstRow: 0, firstColumn: 0, count, height, width };
  }
  const across = Math.ceil(width / matrixSide);
  const firstRow = Math.floor(page / across) * matrixSide;
  const firstColumn = (page % across) * matrixSide;
  return {
    ...{ firstOutput: 0, firstRow, firstColumn, count: 1 },
    height: Math.min(matrixSide, height - firstRow),
    width: Math.min(matrixSide, width - firstColumn),
  };
}

function hasFilterFirst([a, b, c, d]: readonly [number, number, number, number]): boolean {
  if ((a === b) !== (c === d)) return a === b;
  return a * b < c * d;
}
