// A formula as a WebAssembly module: loops over x that compute its values, its slopes, and what its coefficients get. Eight values
// at a time where there are so many, as two vectors, so that V8 may join them into one of AVX2: all loads and operations before a
// pair of stores. Constants lie in memory, where one instruction fetches them (parts/lanes.ts of the assembly says why).
import { evaluateNodes, type Node } from '../../../formula/expression.ts';
import type { Formula } from '../../../formula/formula.ts';
import type { KernelBuild } from '../loadKernels.ts';
import { helpers, laneByLane, loadFirst, storeFirst } from './helperFunctions.ts';
import { LanesAlgebra } from './lanes.ts';
import { LanesCode } from './lanesCode.ts';
import type { Lanes } from './lanesGraph.ts';
import { encodeModule, FunctionWriter, type ValueType } from './moduleWriter.ts';

/** What is to be made of a formula. */
export interface CompileOptions {
  readonly build: KernelBuild;
  /** 8: in pairs of vectors. 4: one vector at a time, nothing to be joined. */
  readonly width: 4 | 8;
}

export interface CompiledFormula {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** To be in memory where `constants` points to. */
  readonly constants: Int32Array<ArrayBuffer>;
  readonly nParameters: number;
}

/**
 * The exported functions; all arguments are i32, addresses in bytes.
 *
 * Without parameters, over elements first…last:
 * - `values(constants, x, y, first, last)`
 * - `slopes(constants, dy, x, dx, first, last)`: dx = dy·f′(x)
 *
 * With P parameters, over rows first…last of x `[rows, channels]`, in blocks of `rowsPerBlock` that stay in the first-level cache.
 * `table` holds the coefficients, [P][stride], stride = ⌈channels/8⌉·8:
 * - `values(constants, x, y, channels, table, first, last, rowsPerBlock)`
 * - `slopes(constants, dy, x, dx, channels, table, first, last, rowsPerBlock)`
 * - `gradients(…the same…, sums)`: Σ dy·∂f/∂p of these rows, too, float64 [P][stride]. Order of summation: rows ascending in
 *   float32 within a block, then blocks in float64.
 *
 * Without parameters also behind a batch normalisation, of n = (x − center)·scale + shift, which is never in memory; rows as above,
 * the table holds `normalizedTable`. Each operation and each sum is that of assembly/batchNorm.ts, so that every bit is:
 * - `normalizedValues(constants, x, y, channels, table, first, last, rowsPerBlock)`: f(n)
 * - `normalizedSums(constants, dy, x, 0, channels, table, first, last, rowsPerBlock, sums)`: Σ d and Σ d·(x − center) of d = dy·f′(n),
 *   float64 [2][stride]
 * - `normalizedSlopes(constants, dy, x, dx, channels, table, first, last, rowsPerBlock)`: d·a + (x − center)·b + c
 */
const exportsOf = {
  plain: ['values', 'slopes', 'normalizedValues', 'normalizedSums', 'normalizedSlopes'],
  trained: ['values', 'slopes', 'gradients'],
} as const;

/** Rows of the table of what comes behind a batch normalisation; the first three for all but the slopes. */
export const normalizedTable = ['center', 'scale', 'shift', 'a', 'b', 'c'] as const;

export type FormulaExport = (typeof exportsOf)[keyof typeof exportsOf][number];

/** What the module of a formula with so many parameters has. */
export function formulaExports(nParameters: number): readonly FormulaExport[] {
  return nParameters === 0 ? exportsOf.plain : exportsOf.trained;
}

export function compileFormula(formula: Formula, options: CompileOptions): CompiledFormula {
  const compiler = new Compiler(formula, options);
  return compiler.compile();
}

class Compiler {
  readonly #formula: Formula;
  readonly #options: CompileOptions;
  readonly #names: readonly string[];
  /** Bits of each constant, in their order. */
  readonly #constants = new Map<number, number>();

  constructor(formula: Formula, options: CompileOptions) {
    this.#formula = formula;
    this.#options = options;
    this.#names = formula.text.parameters;
  }

  compile(): CompiledFormula {
    const { graph, value, slope, partials } = this.#formula;
    // No parameter can be called so.
    const dy = graph.variable(' dy');
    const dx = graph.scaled(dy, slope);
    const sums = partials.map((partial) => graph.scaled(dy, partial));
    const isPlain = this.#names.length === 0;
    const ofRows = (outputs: readonly Node[], hasDy: boolean) => {
      const [stored, ...terms] = this.#lanesOf(outputs);
      return this.#overRows({ stored: stored!, terms: terms.map((term) => [term]), names: this.#names, hasDy });
    };
    const made = isPlain
      ? {
          values: this.#overElements(value, false),
          slopes: this.#overElements(dx, true),
          ...this.#behindNormalization(value, dx),
        }
      : { values: ofRows([value], false), slopes: ofRows([dx], true), gradients: ofRows([dx, ...sums], true) };
    const functions = Object.entries(made).map(([exportedAs, { writer, nArguments }]) => ({
      exportedAs,
      writer,
      parameters: Array<ValueType>(nArguments).fill('i32'),
      results: [],
    }));
    const angle = { parameters: ['f64'], results: ['f64'] } as const;
    const imports = [
      { name: 'sin', ...angle },
      { name: 'cos', ...angle },
    ] as const;
    const slow = { exportedAs: null, parameters: ['v128'], results: ['v128'] } as const;
    const bytes = encodeModule(imports, [
      { exportedAs: null, parameters: ['i32', 'i32'], results: ['v128'], writer: loadFirst() },
      { exportedAs: null, parameters: ['i32', 'v128', 'i32'], results: [], writer: storeFirst() },
      { ...slow, writer: laneByLane(helpers.sin) },
      { ...slow, writer: laneByLane(helpers.cos) },
      ...functions,
    ]);
    return { bytes, constants: Int32Array.from(this.#constants.keys()), nParameters: this.#names.length };
  }

  #overElements(output: Node, hasDy: boolean): { writer: FunctionWriter; nArguments: number } {
    const nArguments = hasDy ? 6 : 5;
    const writer = new FunctionWriter(nArguments);
    const [dy, x, y, first, last] = hasDy ? [1, 2, 3, 4, 5] : [-1, 1, 2, 3, 4];
    const [offset, width] = [writer.local('i32'), writer.local('i32')];
    const code = new LanesCode(writer, this.#constants);
    const [result] = this.#lanesOf([output]);
    const pointers = hasDy ? { x: x!, dy: dy! } : { x: x! };
    const at = (pointer: number) => writer.get(pointer).get(offset).op('i32.add');
    writer.get(first!).int(2).op('i32.shl').set(offset);
    if (this.#options.width === 8) {
      writer.loop(
        () => writer.get(first!).get(last!).int(8).op('i32.sub', 'i32.le_s'),
        () => {
          const addresses = Object.entries({ ...pointers, y: y! }).map(([name, pointer]) => {
            const address = writer.local('i32');
            at(pointer).set(address);
            return [name, address] as const;
          });
          const halves = [0, 16].map((bytes) => loadAll(writer, addresses.slice(0, -1), bytes));
          const results = halves.map((inputs) => code.compute([result!], inputs)[0]!);
          const to = addresses.at(-1)![1];
          results.forEach((local, half) =>
            writer
              .get(to)
              .get(local)
              .store(16 * half),
          );
          writer.get(first!).int(8).op('i32.add').set(first!);
          writer.get(offset).int(32).op('i32.add').set(offset);
        },
      );
    }
    writer.loop(
      () => writer.get(first!).get(last!).op('i32.lt_s'),
      () => {
        writer.get(last!).get(first!).op('i32.sub').set(width);
        const addresses = Object.entries(pointers).map(([name, pointer]) => {
          const address = writer.local('i32');
          at(pointer).set(address);
          return [name, address] as const;
        });
        const inputs = loadAll(writer, addresses, 0, width);
        const [local] = code.compute([result!], inputs);
        at(y!).get(local!).get(width).call(helpers.storeFirst);
        writer.get(first!).int(4).op('i32.add').set(first!);
        writer.get(offset).int(16).op('i32.add').set(offset);
      },
    );
    return { writer, nArguments };
  }

  #behindNormalization(value: Node, slope: Node): Record<string, { writer: FunctionWriter; nArguments: number }> {
    const lanes = this.#algebra();
    const [center, scale, shift, a, b, c] = normalizedTable.map((name) => lanes.input(name)) as Lanes[];
    const centred = lanes.sub(lanes.input('x'), center!);
    const normalized = lanes.multiplyAdd(centred, scale!, shift!);
    const inputs = { x: normalized, ' dy': lanes.input('dy') };
    const [y, d] = evaluateNodes([value, slope], inputs, lanes.algebra);
    const dx = lanes.multiplyAdd(d!, a!, lanes.multiplyAdd(centred, b!, c!));
    const names = normalizedTable.slice(0, 3);
    return {
      normalizedValues: this.#overRows({ stored: y!, terms: [], names, hasDy: false }),
      normalizedSums: this.#overRows({ stored: null, terms: [[d!], [d!, centred]], names, hasDy: true }),
      normalizedSlopes: this.#overRows({ stored: dx, terms: [], names: normalizedTable, hasDy: true }),
    };
  }

  #overRows(outputs: Outputs): { writer: FunctionWriter; nArguments: number } {
    const { terms, hasDy } = outputs;
    const isSummed = terms.length > 0;
    const nArguments = 8 + (hasDy ? 1 : 0) + (isSummed ? 1 : 0);
    const writer = new FunctionWriter(nArguments);
    const shift = hasDy ? 1 : 0;
    const [x, y, channels, table, first, last, rowsPerBlock] = [1, 2, 3, 4, 5, 6, 7].map((index) => index + shift) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const place: Rows = {
      ...{ x, y, dy: hasDy ? 1 : null, channels, table, sums: isSummed ? nArguments - 1 : null },
      ...{ rowBytes: writer.local('i32'), stride: writer.local('i32'), start: writer.local('i32') },
      ...{ end: writer.local('i32'), channel: writer.local('i32') },
    };
    const { rowBytes, stride, start, end, channel } = place;
    writer.get(channels).int(2).op('i32.shl').set(rowBytes);
    // Bytes from one parameter's coefficients to the next's.
    writer.get(channels).int(7).op('i32.add').int(-8).op('i32.and').int(2).op('i32.shl').set(stride);
    if (place.sums !== null) {
      writer
        .get(place.sums)
        .int(0)
        .get(stride)
        .int(2 * terms.length)
        .op('i32.mul')
        .fill();
    }
    writer.get(first).set(start);
    writer.loop(
      () => writer.get(start).get(last).op('i32.lt_s'),
      () => {
        writer.get(start).get(rowsPerBlock).op('i32.add').set(end);
        writer
          .get(end)
          .get(last)
          .op('i32.gt_s')
          .when(() => writer.get(last).set(end));
        writer.int(0).set(channel);
        if (this.#options.width === 8) {
          writer.loop(
            () => writer.get(channel).get(channels).int(8).op('i32.sub', 'i32.le_s'),
            () => this.#column(writer, place, outputs, 8),
          );
        }
        writer.loop(
          () => writer.get(channel).get(channels).op('i32.lt_s'),
          () => this.#column(writer, place, outputs, 4),
        );
        writer.get(end).set(start);
      },
    );
    return { writer, nArguments };
  }

  /** The rows start…end of `width` channels from `channel` on, or of as many as there are. */
  #column(writer: FunctionWriter, place: Rows, { stored, terms, names }: Outputs, width: 4 | 8): void {
    const { x, y, dy, channels, table, sums, rowBytes, stride, start, end, channel } = place;
    const [row, offset, nChannels] = [writer.local('i32'), writer.local('i32'), writer.local('i32')];
    const halves = width === 8 ? [0, 16] : [0];
    const code = new LanesCode(writer, this.#constants);
    const outputs = [...(stored ? [stored] : []), ...terms.flat()];
    writer.get(channels).get(channel).op('i32.sub').set(nChannels);
    const coefficients = halves.map((bytes) => {
      const inputs = new Map<string, number>();
      names.forEach((name, p) => {
        inputs.set(name, writer.local('v128'));
        writer.get(table).get(channel).int(2).op('i32.shl', 'i32.add').get(stride).int(p).op('i32.mul', 'i32.add');
        writer.load('v128', bytes).set(inputs.get(name)!);
      });
      return inputs;
    });
    // What does not depend on x is the same for all rows.
    const fixed = coefficients.map((inputs) => code.computeFixed(outputs, inputs));
    const totals = halves.map(() => terms.map(() => writer.local('v128')));
    for (const total of totals.flat()) writer.int(0).op('i32x4.splat').set(total);
    writer.get(start).get(rowBytes).op('i32.mul').get(channel).int(2).op('i32.shl', 'i32.add').set(offset);
    writer.get(start).set(row);
    writer.loop(
      () => writer.get(row).get(end).op('i32.lt_s'),
      () => {
        const addressOf = (pointer: number) => {
          const address = writer.local('i32');
          writer.get(pointer).get(offset).op('i32.add').set(address);
          return address;
        };
        const pointers = Object.entries({ x, ...(dy === null ? {} : { dy }) });
        const addresses = pointers.map(([name, pointer]) => [name, addressOf(pointer)] as const);
        const to = stored && addressOf(y);
        const count = width === 8 ? null : nChannels;
        const inputs = halves.map((bytes) => loadAll(writer, addresses, bytes, count));
        const results = inputs.map((values, half) =>
          code.compute(outputs, new Map([...coefficients[half]!, ...values]), fixed[half]!),
        );
        if (to !== null) {
          results.forEach(([local], half) => {
            writer.get(to).get(local!);
            if (count === null) writer.store(16 * half);
            else writer.get(count).call(helpers.storeFirst);
          });
        }
        results.forEach((locals, half) => {
          const factors = to === null ? [...locals] : locals.slice(1);
          terms.forEach(({ length }, p) => {
            const total = totals[half]![p]!;
            this.#addTo(writer, total, factors.splice(0, length));
          });
        });
        writer.get(offset).get(rowBytes).op('i32.add').set(offset);
        writer.get(row).int(1).op('i32.add').set(row);
      },
    );
    if (sums !== null) {
      const to = writer.local('i32');
      totals.forEach((ofHalf, half) => {
        ofHalf.forEach((total, p) => {
          writer.get(sums).get(channel).int(3).op('i32.shl', 'i32.add');
          writer
            .get(stride)
            .int(2 * p)
            .op('i32.mul', 'i32.add')
            .set(to);
          const bytes = 32 * half;
          writer.get(to).get(to).load('v128', bytes).get(total).op('f64x2.promote_low_f32x4', 'f64x2.add').store(bytes);
          writer
            .get(to)
            .get(to)
            .load('v128', bytes + 16)
            .upperLanes(total)
            .op('f64x2.promote_low_f32x4', 'f64x2.add');
          writer.store(bytes + 16);
        });
      });
    }
    writer.get(channel).int(width).op('i32.add').set(channel);
  }

  /** total += the product of one or two locals, of two rounded once where the build can. */
  #addTo(writer: FunctionWriter, total: number, [first, second]: readonly number[]): void {
    if (second === undefined) writer.get(total).get(first!).op('f32x4.add');
    else if (this.#options.build === 'relaxed') {
      writer.get(first!).get(second).get(total).op('f32x4.relaxed_madd');
    } else writer.get(first!).get(second).op('f32x4.mul').get(total).op('f32x4.add');
    writer.set(total);
  }

  #algebra(): LanesAlgebra {
    return new LanesAlgebra(this.#options.build === 'relaxed');
  }

  #lanesOf(outputs: readonly Node[]): Lanes[] {
    const lanes = this.#algebra();
    const inputs = Object.fromEntries(this.#names.map((name) => [name, lanes.input(name)]));
    return evaluateNodes(outputs, { ...inputs, x: lanes.input('x'), ' dy': lanes.input('dy') }, lanes.algebra);
  }
}

/** What a function over rows computes. */
interface Outputs {
  /** Goes to memory; null where only sums are wanted. */
  readonly stored: Lanes | null;
  /** One or two factors each: the sums of the products go to `sums`. */
  readonly terms: readonly (readonly Lanes[])[];
  /** Of the table's rows. */
  readonly names: readonly string[];
  readonly hasDy: boolean;
}

/** Locals of a function over rows. */
interface Rows {
  readonly x: number;
  readonly y: number;
  readonly dy: number | null;
  readonly channels: number;
  readonly table: number;
  readonly sums: number | null;
  readonly rowBytes: number;
  readonly stride: number;
  readonly start: number;
  readonly end: number;
  readonly channel: number;
}

/** The vectors at the addresses in locals, in new locals; where `count` is one, of so many floats. */
function loadAll(
  writer: FunctionWriter,
  addresses: readonly (readonly [name: string, address: number])[],
  offset: number,
  count: number | null = null,
): Map<string, number> {
  const inputs = new Map<string, number>();
  for (const [name, address] of addresses) {
    const lanes = writer.local('v128');
    writer.get(address);
    if (count === null) writer.load('v128', offset);
    else writer.get(count).call(helpers.loadFirst);
    writer.set(lanes);
    inputs.set(name, lanes);
  }
  return inputs;
}
