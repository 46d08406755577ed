// A WebSocket without a wire: what was done with it can be looked at, and what it does is up to the test.
import { EventEmitter } from 'node:events';
import type { WebSocket } from 'ws';
import { decode, encode } from '../../server/protocol/codec.ts';

export class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  isPaused = false;
  isTerminated = false;
  /** Of messages that were sent. */
  readonly frames: { bytes: Uint8Array; isBinary: boolean }[] = [];
  /** Codes and reasons. */
  readonly closes: [code: number | undefined, reason: string | undefined][] = [];
  /** Of messages that the system has not taken yet. */
  readonly untaken: (() => void)[] = [];

  get asSocket(): WebSocket {
    return this as unknown as WebSocket;
  }

  /** Of those frames. */
  get sent(): Record<string, unknown>[] {
    return this.frames.map(({ bytes }) => decode(bytes) as Record<string, unknown>);
  }

  send(bytes: Uint8Array, { binary }: { binary: boolean }, onTaken: () => void): void {
    this.frames.push({ bytes, isBinary: binary });
    this.untaken.push(onTaken);
  }

  /** The system takes all that was sent. */
  take(): void {
    for (const taken of this.untaken.splice(0)) taken();
  }

  /** The other side sends it. */
  receive(message: unknown): void {
    this.emit('message', Buffer.from(encode(message)), true);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  close(code?: number, reason?: string): void {
    this.closes.push([code, reason]);
  }

  terminate(): void {
    this.isTerminated = true;
    this.readyState = 3;
  }
}
