// Intents that reach a run at work: pause, resume, stop, interrupt. What they lead to is decided in runPlan.ts.

export class RunControl {
  readonly #controller = new AbortController();
  #resumed: PromiseWithResolvers<void> | null = null;
  #ending: RunEnding | null = null;

  /** Aborts once, when the run shall end before its time. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** How it shall end; null while it shall go on. */
  get ending(): RunEnding | null {
    return this.#ending;
  }

  get isPaused(): boolean {
    return this.#resumed !== null;
  }

  pause(): void {
    if (!this.#ending) this.#resumed ??= Promise.withResolvers();
  }

  resume(): void {
    this.#resumed?.resolve();
    this.#resumed = null;
  }

  /** The user wants it to end. */
  stop(): void {
    this.#end({ status: 'stopped', message: null });
  }

  /** Something else makes it end; `message` says what, in a sentence. */
  interrupt(message: string): void {
    this.#end({ status: 'interrupted', message });
  }

  /** Settles when the run may go on, at once where it isn't paused. */
  async untilResumed(): Promise<void> {
    await this.#resumed?.promise;
  }

  #end(ending: RunEnding): void {
    if (this.#ending) return;
    this.#ending = ending;
    this.#controller.abort();
    this.resume();
  }
}

export interface RunEnding {
  readonly status: 'stopped' | 'interrupted';
  readonly message: string | null;
}
