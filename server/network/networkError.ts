// What is wrong with a network's layers, told apart from where its text says so.

export class NetworkError extends Error {
  override readonly name = 'NetworkError';
  /** Of the layer, for example `layers[3].residual.branch[0]`. */
  readonly path: string;
  readonly expected: string;
  readonly got: string;
  readonly remedy: string;

  constructor(path: string, { expected, got, remedy }: { expected: string; got: string; remedy: string }) {
    super(`The network does not fit its data: ${path}: expected ${expected}, got ${got}. ${remedy}`);
    this.path = path;
    this.expected = expected;
    this.got = got;
    this.remedy = remedy;
  }
}

/** `[32, 32, 3]`. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
