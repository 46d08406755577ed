// Which GPUs have work of this process: its single runs and each of its sweeps keep clear of the others'. The processor is shared by all,
// and what other processes do on a GPU is not known here.
import type { Place } from './machinePlaces.ts';

export class TakenGpus {
  /** Of each GPU who has it, once for each run there. */
  readonly #holders = new Map<Place, object[]>();
  /** In the order in which they are told of a GPU that has become free. */
  readonly #waiting = new Map<object, () => void>();

  /** From now on `holder` is told when others leave a GPU; those before it are told before it. */
  join(holder: object, onFree: () => void): void {
    this.#waiting.set(holder, onFree);
  }

  part(holder: object): void {
    this.#waiting.delete(holder);
  }

  isOthers(place: Place, holder: object): boolean {
    return (this.#holders.get(place) ?? []).some((one) => one !== holder);
  }

  /** Whether others have any. */
  hasOthers(holder: object): boolean {
    return [...this.#holders.keys()].some((place) => this.isOthers(place, holder));
  }

  take(place: Place, holder: object): void {
    if (place !== 'processor') this.#holders.set(place, [...(this.#holders.get(place) ?? []), holder]);
  }

  leave(place: Place, holder: object): void {
    const holders = this.#holders.get(place) ?? [];
    const at = holders.indexOf(holder);
    if (at < 0) return;
    this.#holders.set(place, holders.toSpliced(at, 1));
    if (holders.length === 1) for (const [one, onFree] of [...this.#waiting]) if (one !== holder) onFree();
  }
}
