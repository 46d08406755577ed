// Where commands write: one JSON object a line, or lines for people with one that is overwritten while work goes on. What they write
// holds names that others chose: a terminal gets them as plain text.
import { plainText } from '../protocol/plainText.ts';

export interface TerminalOptions {
  readonly isJson: boolean;
  readonly output: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly errors: { write(text: string): unknown };
}

/** How a command ended, as its exit code. */
export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** The command can't be carried out as it was given; ends with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export class Terminal {
  readonly #options: TerminalOptions;
  #hasProgress = false;

  constructor(options: TerminalOptions) {
    this.#options = options;
  }

  get isJson(): boolean {
    return this.#options.isJson;
  }

  /** Whether a line can be overwritten. */
  get isLive(): boolean {
    return !this.isJson && this.#options.output.isTTY === true;
  }

  /** For programs only. */
  event(event: { readonly type: string; readonly [key: string]: unknown }): void {
    if (this.isJson) this.#options.output.write(`${jsonText(event)}\n`);
  }

  /** For people only. */
  line(text: string): void {
    if (this.isJson) return;
    this.#clear();
    this.#options.output.write(`${plainText(text)}\n`);
  }

  /** Replaces the last such line; nothing where lines can't be overwritten. */
  progress(text: string): void {
    if (!this.isLive) return;
    this.#clear();
    this.#options.output.write(plainText(text));
    this.#hasProgress = true;
  }

  /** For people, also when the output is for programs. */
  error(text: string): void {
    this.#clear();
    this.#options.errors.write(`${plainText(text)}\n`);
  }

  #clear(): void {
    if (this.#hasProgress) this.#options.output.write('\r\u001b[K');
    this.#hasProgress = false;
  }
}

/** JSON has no NaN and no infinities: they become `"NaN"`, `"Infinity"` and `"-Infinity"`. */
export function jsonText(value: unknown): string {
  const json = JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'number' && !Number.isFinite(inner)) return String(inner);
    return ArrayBuffer.isView(inner) ? Array.from(inner as Float32Array) : inner;
  });
  return plainText(json); // JSON leaves some of the commands as they are
}
