// Whether a run that is live on paper lives: by its process where that can be asked, else by whether its heartbeat changes between
// looks, on our own monotonic clock. No clock of another machine counts.
import type { Owner } from './owner.ts';
import { lifeOf } from './owner.ts';

export interface Sign {
  /** Which piece of work it is of. */
  readonly incarnation: string;
  /** Changes as long as its writer lives: sizes of its files. */
  readonly value: string;
}

export type Life =
  | 'alive'
  | 'dead'
  /** It has given no sign since we began to look, which is not long enough to tell. */
  | 'unheard';

/** A disk of a cluster may show another host's writing a minute late; heartbeats come every five seconds. */
export const patienceMs = 90_000;

/** A watcher that was itself stopped has not looked in the meantime. */
const longestGapMs = 10_000;

interface Watched {
  sign: string;
  isHeard: boolean;
  silentMs: number;
  lookedMs: number;
}

export class LifeWatch {
  readonly #now: () => number;
  readonly #watched = new Map<string, Watched>();

  /** @param now milliseconds of a clock that is never set */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** `owner` is null for a run of the older form, whose owner names no host. */
  judge(owner: Owner | null, sign: Sign): Life {
    const life = owner ? lifeOf(owner) : 'unknown';
    if (life !== 'unknown') return life;
    const nowMs = this.#now();
    const watched = this.#watched.get(sign.incarnation);
    if (!watched) {
      this.#watched.set(sign.incarnation, { sign: sign.value, isHeard: false, silentMs: 0, lookedMs: nowMs });
      return 'unheard';
    }
    watched.silentMs += Math.min(longestGapMs, nowMs - watched.lookedMs);
    watched.lookedMs = nowMs;
    if (watched.sign !== sign.value) {
      watched.sign = sign.value;
      watched.isHeard = true;
      watched.silentMs = 0;
    }
    if (watched.silentMs >= patienceMs) return 'dead';
    return watched.isHeard ? 'alive' : 'unheard';
  }

  /** How long a silence must still last to count as death; 0 for one that does. */
  remainingMs({ incarnation }: Sign): number {
    return Math.max(0, patienceMs - (this.#watched.get(incarnation)?.silentMs ?? 0));
  }
}
