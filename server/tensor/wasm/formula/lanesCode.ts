// Writes the instructions that compute a graph of vectors: what is used more than once stays in a local, constants are loaded from
// memory. Loops and addresses are compileFormula.ts's.
import { helpers } from './helperFunctions.ts';
import { wideAngle } from './lanes.ts';
import type { Lanes } from './lanesGraph.ts';
import type { FunctionWriter } from './moduleWriter.ts';

/** The first parameter of every function. */
const constantsArgument = 0;

/** Writes what computes lanes from locals that hold the inputs. */
export class LanesCode {
  readonly #writer: FunctionWriter;
  readonly #constants: Map<number, number>;

  constructor(writer: FunctionWriter, constants: Map<number, number>) {
    this.#writer = writer;
    this.#constants = constants;
  }

  /** @returns the local of each output */
  compute(
    outputs: readonly Lanes[],
    inputs: ReadonlyMap<string, number>,
    fixed?: ReadonlyMap<Lanes, number>,
  ): number[] {
    const locals = new Map<Lanes, number>(fixed);
    const uses = countUses(outputs);
    return outputs.map((output) => {
      const known = locals.get(output);
      if (known !== undefined) return known;
      this.#write(output, inputs, locals, uses);
      return this.#keep(output, locals);
    });
  }

  /** Locals of what does not depend on x or dy, other than constants and inputs. */
  computeFixed(outputs: readonly Lanes[], inputs: ReadonlyMap<string, number>): Map<Lanes, number> {
    const locals = new Map<Lanes, number>();
    const uses = countUses(outputs);
    const fixed = fixedAmong(outputs);
    for (const lanes of fixed) {
      if (lanes.type !== 'operation' || locals.has(lanes)) continue;
      this.#write(lanes, inputs, locals, uses);
      this.#keep(lanes, locals);
    }
    return locals;
  }

  #keep(lanes: Lanes, locals: Map<Lanes, number>): number {
    const local = this.#writer.local('v128');
    this.#writer.set(local);
    locals.set(lanes, local);
    return local;
  }

  /** Leaves the value on the stack; what is used more than once is kept in a local first. */
  #write(
    lanes: Lanes,
    inputs: ReadonlyMap<string, number>,
    locals: Map<Lanes, number>,
    uses: ReadonlyMap<Lanes, number>,
  ): void {
    const known = locals.get(lanes);
    if (known !== undefined) {
      this.#writer.get(known);
      return;
    }
    if (lanes.type === 'constant') {
      this.#writer.get(constantsArgument).load('v128.load32_splat', 4 * this.#placeOf(lanes.bits));
      return;
    }
    if (lanes.type === 'input') {
      this.#writer.get(inputs.get(lanes.name)!);
      return;
    }
    const { instruction, args, distance } = lanes;
    if (instruction === 'slowSin' || instruction === 'slowCos') {
      this.#writeWide(instruction, args as [Lanes, Lanes], { inputs, locals, uses });
    } else {
      for (const each of args) this.#write(each, inputs, locals, uses);
      if (instruction === 'i32x4.shl' || instruction === 'i32x4.shr_s') this.#writer.int(distance);
      this.#writer.op(instruction);
    }
    if ((uses.get(lanes) ?? 0) > 1) this.#writer.get(this.#keep(lanes, locals));
  }

  #writeWide(
    which: 'slowSin' | 'slowCos',
    [x, y]: readonly [Lanes, Lanes],
    {
      inputs,
      locals,
      uses,
    }: {
      inputs: ReadonlyMap<string, number>;
      locals: Map<Lanes, number>;
      uses: ReadonlyMap<Lanes, number>;
    },
  ): void {
    const [angle, result] = [this.#writer.local('v128'), this.#writer.local('v128')];
    this.#write(x, inputs, locals, uses);
    this.#writer.set(angle);
    this.#write(y, inputs, locals, uses);
    this.#writer.set(result);
    this.#writer.get(constantsArgument).load('v128.load32_splat', 4 * this.#placeOf(wideAngleBits));
    this.#writer.get(angle).op('f32x4.abs', 'f32x4.lt', 'v128.any_true');
    this.#writer.when(() => this.#writer.get(angle).call(helpers[which]).set(result));
    this.#writer.get(result);
  }

  #placeOf(bits: number): number {
    const known = this.#constants.get(bits);
    if (known !== undefined) return known;
    const place = this.#constants.size;
    this.#constants.set(bits, place);
    return place;
  }
}

const wideAngleBits = new Int32Array(Float32Array.of(wideAngle).buffer)[0]!;

/** How often each is an argument or an output; arguments before what they are arguments of. */
function countUses(outputs: readonly Lanes[]): Map<Lanes, number> {
  const uses = new Map<Lanes, number>();
  const visit = (lanes: Lanes): void => {
    const count = uses.get(lanes);
    if (count === undefined && lanes.type === 'operation') lanes.args.forEach(visit);
    uses.set(lanes, (count ?? 0) + 1);
  };
  outputs.forEach(visit);
  return uses;
}

/** What depends on neither x nor dy; arguments before what they are arguments of. */
function fixedAmong(outputs: readonly Lanes[]): Set<Lanes> {
  const fixed = new Set<Lanes>();
  const seen = new Set<Lanes>();
  const visit = (lanes: Lanes): void => {
    if (seen.has(lanes)) return;
    seen.add(lanes);
    if (lanes.type === 'operation') lanes.args.forEach(visit);
    const isFixed =
      lanes.type === 'constant' ||
      (lanes.type === 'input' && lanes.name !== 'x' && lanes.name !== 'dy') ||
      (lanes.type === 'operation' && lanes.args.every((each) => fixed.has(each)));
    if (isFixed) fixed.add(lanes);
  };
  outputs.forEach(visit);
  return fixed;
}
