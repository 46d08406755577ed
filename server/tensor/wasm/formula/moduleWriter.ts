// Writes WebAssembly modules: the few instructions that the kernels of formulas are made of, in the binary format of the
// WebAssembly core specification 2.0 (§5) with relaxed SIMD.

export type ValueType = 'i32' | 'f32' | 'f64' | 'v128';

const typeCodes: Readonly<Record<ValueType, number>> = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b };
const functionType = 0x60;
const emptyBlock = 0x40;

/** Instructions without immediates, by their names in the text format. */
const plain = {
  'i32.eqz': [0x45],
  'i32.lt_s': [0x48],
  'i32.gt_s': [0x4a],
  'i32.le_s': [0x4c],
  'i32.add': [0x6a],
  'i32.sub': [0x6b],
  'i32.mul': [0x6c],
  'i32.shl': [0x74],
  'i32.and': [0x71],
  'f32.demote_f64': [0xb6],
  'f64.promote_f32': [0xbb],
  'f32x4.eq': simd(0x41),
  'f32x4.ne': simd(0x42),
  'f32x4.lt': simd(0x43),
  'f32x4.le': simd(0x45),
  'v128.not': simd(0x4d),
  'v128.and': simd(0x4e),
  'v128.andnot': simd(0x4f),
  'v128.or': simd(0x50),
  'v128.xor': simd(0x51),
  'v128.bitselect': simd(0x52),
  'v128.any_true': simd(0x53),
  'f64x2.promote_low_f32x4': simd(0x5f),
  'f32x4.nearest': simd(0x6a),
  'i32x4.splat': simd(0x11),
  'i32x4.eq': simd(0x37),
  'i32x4.shl': simd(0xab),
  'i32x4.shr_s': simd(0xac),
  'i32x4.add': simd(0xae),
  'i32x4.sub': simd(0xb1),
  'f32x4.abs': simd(0xe0),
  'f32x4.neg': simd(0xe1),
  'f32x4.sqrt': simd(0xe3),
  'f32x4.add': simd(0xe4),
  'f32x4.sub': simd(0xe5),
  'f32x4.mul': simd(0xe6),
  'f32x4.div': simd(0xe7),
  'f32x4.min': simd(0xe8),
  'f32x4.max': simd(0xe9),
  'f32x4.pmin': simd(0xea),
  'f32x4.pmax': simd(0xeb),
  'f64x2.add': simd(0xf0),
  'f32x4.convert_i32x4_s': simd(0xfa),
  'f32x4.relaxed_madd': simd(0x105),
} as const satisfies Readonly<Record<string, readonly number[]>>;

export type Instruction = keyof typeof plain;

function simd(code: number): readonly number[] {
  return [0xfd, ...unsigned(code)];
}

/** LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7) {
    const isLast = rest >= -64 && rest < 64;
    bytes.push((rest & 0x7f) | (isLast ? 0 : 0x80));
    if (isLast) return bytes;
  }
}

/** The code of one function. Locals are numbered from its parameters on. */
export class FunctionWriter {
  readonly #code: number[] = [];
  readonly #locals: ValueType[] = [];
  readonly #nParameters: number;

  constructor(nParameters: number) {
    this.#nParameters = nParameters;
  }

  local(type: ValueType): number {
    this.#locals.push(type);
    return this.#nParameters + this.#locals.length - 1;
  }

  op(...instructions: readonly Instruction[]): this {
    for (const instruction of instructions) this.#code.push(...plain[instruction]);
    return this;
  }

  get(local: number): this {
    this.#code.push(0x20, ...unsigned(local));
    return this;
  }

  set(local: number): this {
    this.#code.push(0x21, ...unsigned(local));
    return this;
  }

  int(value: number): this {
    this.#code.push(0x41, ...signed(value));
    return this;
  }

  call(index: number): this {
    this.#code.push(0x10, ...unsigned(index));
    return this;
  }

  /** Of the address on the stack plus `offset` bytes. */
  load(type: 'v128' | 'v128.load32_splat', offset = 0): this {
    this.#code.push(...simd(type === 'v128' ? 0x00 : 0x09), 2, ...unsigned(offset));
    return this;
  }

  /** The vector on the stack, to the address below it. */
  store(offset = 0): this {
    this.#code.push(...simd(0x0b), 2, ...unsigned(offset));
    return this;
  }

  /** One float32 of memory in the place of a lane; address and vector are on the stack. */
  loadLane(lane: number): this {
    this.#code.push(...simd(0x56), 2, ...unsigned(4 * lane), lane);
    return this;
  }

  storeLane(lane: number): this {
    this.#code.push(...simd(0x5a), 2, ...unsigned(4 * lane), lane);
    return this;
  }

  extractLane(lane: number): this {
    this.#code.push(...simd(0x1f), lane);
    return this;
  }

  replaceLane(lane: number): this {
    this.#code.push(...simd(0x20), lane);
    return this;
  }

  /** Its two upper lanes in the place of the lower. */
  upperLanes(vector: number): this {
    this.get(vector).get(vector);
    this.#code.push(...simd(0x0d), 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
    return this;
  }

  /** Where the condition on the stack is not 0. */
  when(body: () => void): this {
    this.#code.push(0x04, emptyBlock);
    body();
    this.#code.push(0x0b);
    return this;
  }

  /** As long as `condition` leaves something other than 0 on the stack. */
  loop(condition: () => void, body: () => void): this {
    this.#code.push(0x02, emptyBlock, 0x03, emptyBlock);
    condition();
    this.op('i32.eqz');
    this.#code.push(0x0d, 1);
    body();
    this.#code.push(0x0c, 0, 0x0b, 0x0b);
    return this;
  }

  /** Zeroes as many bytes as the third value on the stack says; above an address and the 0. */
  fill(): this {
    this.#code.push(0xfc, ...unsigned(11), 0);
    return this;
  }

  /** With its length, as it stands in a code section. */
  encode(): number[] {
    const locals = this.#locals.flatMap((type) => [1, typeCodes[type]]);
    const body = [...unsigned(this.#locals.length), ...locals, ...this.#code, 0x0b];
    return [...unsigned(body.length), ...body];
  }
}

interface Signature {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

interface ImportedFunction extends Signature {
  readonly name: string;
}

interface MadeFunction extends Signature {
  /** Null for one that only others call. */
  readonly exportedAs: string | null;
  readonly writer: FunctionWriter;
}

/** A module on the shared memory `env.memory`, with functions imported from `env`; these come first in the order of calls. */
export function encodeModule(
  imports: readonly ImportedFunction[],
  functions: readonly MadeFunction[],
): Uint8Array<ArrayBuffer> {
  const signatures = [...imports, ...functions];
  const types = signatures.map(({ parameters, results }) => [functionType, ...list(parameters), ...list(results)]);
  const importEntries = imports.map(({ name }, index) => [...text('env'), ...text(name), 0x00, ...unsigned(index)]);
  // Shared, from 1 page to the 65,536 of 4 GiB.
  const memory = [...text('env'), ...text('memory'), 0x02, 0x03, 1, ...unsigned(65_536)];
  const exported = functions.flatMap(({ exportedAs }, index) =>
    exportedAs === null ? [] : [[...text(exportedAs), 0x00, ...unsigned(imports.length + index)]],
  );
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(2, [...importEntries, memory]),
    ...section(
      3,
      functions.map((_, index) => unsigned(imports.length + index)),
    ),
    ...section(7, exported),
    ...section(
      10,
      functions.map(({ writer }) => writer.encode()),
    ),
  ]);
}

function list(types: readonly ValueType[]): number[] {
  return [...unsigned(types.length), ...types.map((type) => typeCodes[type])];
}

function text(value: string): number[] {
  return [...unsigned(value.length), ...new TextEncoder().encode(value)];
}

function section(id: number, entries: readonly (readonly number[])[]): number[] {
  const content = [...unsigned(entries.length), ...entries.flat()];
  return [id, ...unsigned(content.length), ...content];
}
