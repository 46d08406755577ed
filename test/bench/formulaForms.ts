// Two ways to compile a formula, on one thread: a module whose loop computes all of it (what server/tensor/wasm/formula does), and a
// loop for each operation over blocks that stay in the first-level cache, which could be made beforehand for all formulas.
import { inOrder, type Node } from '../../server/formula/expression.ts';
import { formulaOf, type Formula } from '../../server/formula/formula.ts';
import { compileFormula } from '../../server/tensor/wasm/formula/compileFormula.ts';
import { laneByLane, loadFirst, helpers, storeFirst } from '../../server/tensor/wasm/formula/helperFunctions.ts';
import { LanesAlgebra } from '../../server/tensor/wasm/formula/lanes.ts';
import { LanesCode } from '../../server/tensor/wasm/formula/lanesCode.ts';
import { encodeModule, FunctionWriter, type ValueType } from '../../server/tensor/wasm/formula/moduleWriter.ts';
import { summarize, type Summary } from './statistics.ts';

export interface FormTime {
  readonly formula: string;
  readonly what: 'values' | 'slopes';
  readonly form: 'module' | 'blocks';
  /** Milliseconds for 2²⁰ values. */
  readonly time: Summary;
}

const formulas = ['max(x, -100) * sigmoid(x)', '1.3 * x * sigmoid(0.9 * x) + 0.3 * max(x, 0) + 0.1 * tanh(0.9 * x)'];
const nValues = 2 ** 20;
/** Of a block: twelve of them are 24 KiB. */
const blockLength = 512;
const most = 3;

type Run = () => void;

export function measureFormulaForms(rounds: number): FormTime[] {
  return formulas.flatMap((text) => {
    const formula = formulaOf({ formula: text, parameters: [] });
    const memory = new WebAssembly.Memory({ initial: 512, maximum: 65_536, shared: true });
    const places = { constants: 64, x: 65_536, dy: 65_536 + 4 * nValues, y: 65_536 + 8 * nValues };
    const free = places.y + 4 * nValues;
    const floats = (address: number) => new Float32Array(memory.buffer, address, nValues);
    floats(places.x).forEach((_, i, all) => (all[i] = 8 * Math.sin(i)));
    floats(places.dy).forEach((_, i, all) => (all[i] = Math.cos(i)));
    return (['values', 'slopes'] as const).flatMap((what) => {
      const runs = {
        module: moduleRun(formula, what, memory, places),
        blocks: blocksRun(formula, what, memory, places, free),
      };
      const results = Object.values(runs).map((run) => {
        for (let i = 0; i < 20; i++) run();
        return floats(places.y).slice(0, 4096);
      });
      expectAlike(results[0]!, results[1]!);
      const samples = { module: [] as number[], blocks: [] as number[] };
      for (let round = 0; round < 10 * rounds; round++) {
        for (const form of ['module', 'blocks'] as const) {
          const startMs = performance.now();
          runs[form]();
          samples[form].push(performance.now() - startMs);
        }
      }
      return (['module', 'blocks'] as const).map((form) => ({
        formula: text,
        what,
        form,
        time: summarize(samples[form]),
      }));
    });
  });
}

interface Places {
  readonly constants: number;
  readonly x: number;
  readonly dy: number;
  readonly y: number;
}

function moduleRun(formula: Formula, what: FormTime['what'], memory: WebAssembly.Memory, places: Places): Run {
  const compiled = compileFormula(formula, { build: 'relaxed', width: 8 });
  const { values, slopes } = instantiate(compiled.bytes, memory) as Record<string, (...args: number[]) => void>;
  const { constants, x, dy, y } = places;
  return () => {
    // Each form has its constants in the same place.
    new Int32Array(memory.buffer, constants, compiled.constants.length).set(compiled.constants);
    if (what === 'values') values!(constants, x, y, 0, nValues);
    else slopes!(constants, dy, x, y, 0, nValues);
  };
}

/** A function for each node, of the addresses of its arguments' blocks and its own. */
function blocksRun(
  { graph, value, slope }: Formula,
  what: FormTime['what'],
  memory: WebAssembly.Memory,
  places: Places,
  free: number,
): Run {
  const output = what === 'values' ? value : graph.scaled(graph.variable(' dy'), slope);
  const nodes = inOrder([output]).filter((node) => node.type === 'call');
  const constants = new Map<number, number>();
  const functions = nodes.map((node, index) => ({
    exportedAs: `node${index}`,
    writer: loopOf(node, constants),
    parameters: Array<ValueType>(most + 3).fill('i32'),
    results: [],
  }));
  const slow = { exportedAs: null, parameters: ['v128'], results: ['v128'] } as const;
  const angle = { parameters: ['f64'], results: ['f64'] } as const;
  const imports = [
    { name: 'sin', ...angle },
    { name: 'cos', ...angle },
  ] as const;
  const bytes = encodeModule(imports, [
    { exportedAs: null, parameters: ['i32', 'i32'], results: ['v128'], writer: loadFirst() },
    { exportedAs: null, parameters: ['i32', 'v128', 'i32'], results: [], writer: storeFirst() },
    { ...slow, writer: laneByLane(helpers.sin) },
    { ...slow, writer: laneByLane(helpers.cos) },
    ...functions,
  ]);
  const exports = instantiate(bytes, memory) as Record<string, (...args: number[]) => void>;
  const bits = Int32Array.from(constants.keys());
  const calls = nodes.map((node, index) => ({
    run: exports[`node${index}`]!,
    args: node.args
      .filter((each) => each.type !== 'constant')
      .map((each) => nodes.indexOf(each as (typeof nodes)[number])),
    names: node.args
      .filter((each) => each.type !== 'constant')
      .map((each) => (each.type === 'variable' ? each.name : null)),
  }));
  return () => {
    new Int32Array(memory.buffer, places.constants, bits.length).set(bits);
    for (let first = 0; first < nValues; first += blockLength) {
      const at = (index: number) =>
        index === calls.length - 1 ? places.y + 4 * first : free + 4 * blockLength * index;
      calls.forEach(({ run, args, names }, index) => {
        const [a = 0, b = 0, c = 0] = args.map((arg, i) => {
          const name = names[i];
          return name === null ? at(arg) : (name === 'x' ? places.x : places.dy) + 4 * first;
        });
        run(places.constants, a, b, c, at(index), blockLength);
      });
    }
  };
}

/** Arguments: constants, the blocks of up to three arguments, the node's own, and how many floats: a multiple of 8. */
function loopOf(node: Extract<Node, { type: 'call' }>, constants: Map<number, number>): FunctionWriter {
  const writer = new FunctionWriter(most + 3);
  const lanes = new LanesAlgebra(true);
  const names = ['a', 'b', 'c'];
  let nInputs = 0;
  const args = node.args.map((each) =>
    each.type === 'constant' ? lanes.algebra.constant(each.value) : lanes.input(names[nInputs++]!),
  );
  const result = lanes.algebra.operations[node.operation](...args);
  const code = new LanesCode(writer, constants);
  const [to, count] = [most + 1, most + 2];
  const pointers = names.slice(0, nInputs).map((_, i) => i + 1);
  writer.loop(
    () => writer.int(0).get(count).op('i32.lt_s'),
    () => {
      const halves = [0, 16].map(
        (bytes) =>
          new Map(
            pointers.map((pointer, i) => {
              const local = writer.local('v128');
              writer.get(pointer).load('v128', bytes).set(local);
              return [names[i]!, local] as const;
            }),
          ),
      );
      const results = halves.map((inputs) => code.compute([result], inputs)[0]!);
      results.forEach((local, half) =>
        writer
          .get(to)
          .get(local)
          .store(16 * half),
      );
      for (const pointer of [...pointers, to]) writer.get(pointer).int(32).op('i32.add').set(pointer);
      writer.get(count).int(8).op('i32.sub').set(count);
    },
  );
  return writer;
}

function instantiate(bytes: Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory): WebAssembly.Exports {
  const env = { memory, sin: Math.sin, cos: Math.cos };
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { env }).exports;
}

function expectAlike(a: Float32Array, b: Float32Array): void {
  a.forEach((value, i) => {
    if (!(Math.abs(value - b[i]!) <= 1e-5 * (1 + Math.abs(value)))) throw new Error(`${value} is not ${b[i]!} at ${i}`);
  });
}
