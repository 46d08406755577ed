// vitest's runner for scripts/mutate.mjs: a case runs on the unbroken source first, which tells the mutants that it reaches, then
// again under each of those that still live, in the same process. What happens is appended to a file, one event a line.
import fs from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { TestRunner } from 'vitest';

/**
 * `nMutants` in all; `living`, by number, and of these those that a case has `tried` already; the time of a case that is too `slow`
 * for now; or the mutant that is wanted `always`, from the import on: then cases run once, as ever.
 */
const { nMutants, living, tried, slowMs, always } = JSON.parse(fs.readFileSync(process.env.KAFSCOPE_MUTANTS, 'utf8'));
const alive = new Set(living);
const unbroken = -1;
const outside = new Uint8Array(nMutants);
let wanted = always ?? unbroken;
let reached = outside;
let nCalls = 0;
let maxCalls = Infinity;

globalThis.kafscopeMutant = (number) => {
  reached[number] = 1;
  nCalls++;
  if (nCalls > maxCalls) throw new Error('It does not end');
  return number === wanted;
};

export default class MutantRunner extends TestRunner {
  /** What the case is tried under, in this order; grows. */
  #turns = [];
  #turn = 0;
  #startMs = 0;
  #engine = null;

  async onBeforeRunTask(test) {
    await super.onBeforeRunTask(test);
    if (always !== null || test.mode === 'skip') return;
    this.#turns = [unbroken];
    this.#turn = 0;
    // Asked before each repetition.
    test.repeats = { valueOf: () => this.#turns.length - 1 };
  }

  onBeforeTryTask(test, options) {
    if (always === null) this.#begin(test);
    return super.onBeforeTryTask(test, options);
  }

  async onAfterRetryTask(test, options) {
    await super.onAfterRetryTask?.(test, options);
    if (always === null) this.#conclude(test);
    else tell({ ran: test.id });
  }

  async onAfterRunFiles(files) {
    tell({ outside: numbersIn(outside) });
    await super.onAfterRunFiles(files);
  }

  #begin(test) {
    wanted = this.#turns[this.#turn];
    reached = new Uint8Array(nMutants);
    nCalls = 0;
    if (this.#turn === 0) maxCalls = Infinity;
    if (wanted !== unbroken) tell({ trying: wanted, id: test.id });
    this.#engine = watchEngine();
    this.#startMs = performance.now();
  }

  #conclude(test) {
    const mutant = wanted;
    const { state, errors } = test.result;
    const found = reached;
    wanted = unbroken;
    reached = outside;
    if (this.#turn === 0) return this.#plan(test, found);
    if (mutant === unbroken && state === 'fail') {
      tell({ spoilt: this.#turns[this.#turn - 1], id: test.id });
      // vitest lets no test exit, and would repeat the case for ever.
      process.kill(process.pid, 'SIGKILL');
    }
    if (mutant === unbroken) {
      const killed = this.#turns[this.#turn - 1];
      alive.delete(killed);
      tell({ killed, id: test.id });
    } else if (state === 'fail') {
      tell({ failed: mutant, id: test.id, name: test.fullName, message: errors?.[0]?.message?.split('\n')[0] ?? '' });
      this.#engine.restore();
      this.#turns.splice(this.#turn + 1, 0, unbroken);
    } else tell({ withstood: mutant, id: test.id, isMet: found[mutant] === 1 });
    test.result.state = 'run';
    delete test.result.errors;
    test.result.attempts = [];
    this.#turn++;
  }

  #plan(test, found) {
    const ms = performance.now() - this.#startMs;
    if (test.result.state === 'fail') return;
    const some = numbersIn(found).filter((number) => alive.has(number));
    const isSlow = slowMs !== null && ms > slowMs;
    tell({ id: test.id, name: test.fullName, ms, reaches: some, isSlow });
    const known = new Set(tried[test.id]);
    if (!isSlow) this.#turns.push(...some.filter((number) => !known.has(number)));
    maxCalls = 20 * nCalls + 20_000;
    this.#turn++;
  }
}

function tell(event) {
  fs.appendFileSync(process.env.KAFSCOPE_MUTANT_EVENTS, `${JSON.stringify(event)}\n`);
}

function numbersIn(marks) {
  return [...marks.keys()].filter((number) => marks[number] === 1);
}

/** What a case that fails leaves in tfjs would fail all after it. */
function watchEngine() {
  const engine = tf.engine();
  const { scopeStack, numDataMovesStack, ...rest } = engine.state;
  const { activeScope, activeTape, gradientDepth, kernelDepth } = rest;
  const [nScopes, nMoves] = [scopeStack.length, numDataMovesStack.length];
  const made = new Set();
  engine.trackTensor = function (tensor, backend) {
    made.add(tensor);
    return Object.getPrototypeOf(engine).trackTensor.call(engine, tensor, backend);
  };
  return {
    restore() {
      scopeStack.length = nScopes;
      numDataMovesStack.length = nMoves;
      Object.assign(engine.state, { activeScope, activeTape, gradientDepth, kernelDepth });
      for (const tensor of made) if (!tensor.isDisposed) tensor.dispose();
    },
  };
}
