// The modules of the formulas that a backend has met: compiled once, linked on every thread, called by number as the kernels are.
import { isNamedFormula } from '../../../formula/activationFunction.ts';
import type { Formula } from '../../../formula/formula.ts';
import { canCompile } from '../joinVectors.ts';
import type { LaterModule } from '../kernelTable.ts';
import { kernelNames, type KernelBuild } from '../loadKernels.ts';
import { compileFormula, formulaExports, type FormulaExport } from './compileFormula.ts';

export interface LinkedFormula {
  /** Numbers of those of its kernels that it has. */
  readonly kernels: Readonly<Record<FormulaExport, number>>;
  readonly constants: Int32Array<ArrayBuffer>;
}

interface Options {
  readonly build: KernelBuild;
  /** Whether V8 joins vectors in this process. */
  readonly isJoined: boolean;
  /** Links a module on all threads. */
  readonly link: (later: LaterModule) => void;
}

export class LinkedFormulas {
  readonly #known = new Map<Formula, LinkedFormula>();
  readonly #options: Options;
  /** What V8 was seen to survive. */
  readonly #tried = new WeakSet<Formula>();
  #nKernels: number = kernelNames.length;

  constructor(options: Options) {
    this.#options = options;
  }

  linked(formula: Formula): LinkedFormula {
    let linked = this.#known.get(formula);
    if (!linked) {
      linked = this.#link(formula);
      this.#known.set(formula, linked);
    }
    return linked;
  }

  /** Tries several formulas at once, where each would take a process of its own. */
  prepare(formulas: readonly Formula[]): void {
    const news = formulas.filter((formula) => !this.#tried.has(formula));
    const modules = news.map((formula) => compileFormula(formula, { build: this.#options.build, width: 8 }).bytes);
    if (news.length === 0 || !canCompile(modules)) return;
    for (const formula of news) this.#tried.add(formula);
  }

  #link(formula: Formula): LinkedFormula {
    const { build, isJoined, link } = this.#options;
    // Those with a name are compiled by the tests. What V8 makes of another is tried in a process that may die of it.
    if (isJoined && !isNamedFormula(formula)) this.prepare([formula]);
    const isSafe = !isJoined || isNamedFormula(formula) || this.#tried.has(formula);
    const compiled = compileFormula(formula, { build, width: isSafe ? 8 : 4 });
    const firstKernel = this.#nKernels;
    const exports = formulaExports(compiled.nParameters);
    this.#nKernels += exports.length;
    link({ module: new WebAssembly.Module(compiled.bytes), exports, firstKernel });
    const numbers = exports.map((name, index) => [name, firstKernel + index] as const);
    return { kernels: Object.fromEntries(numbers) as LinkedFormula['kernels'], constants: compiled.constants };
  }
}
