// The runs that wait for a place on this machine, in their order, and those that have one.
import type { DeviceListResult } from '../protocol/messages.ts';
import type { Plan } from '../protocol/plan.ts';
import {
  deviceAt,
  mayBeOnDevice,
  placesFor,
  placesOf,
  processorAlone,
  type MachinePlaces,
  type Gpu,
  type Place,
} from './machinePlaces.ts';
import { readOrigin } from './runFolder.ts';
import type { Entry } from './supervisedRun.ts';
import { TakenGpus } from './takenGpus.ts';

export interface RunQueueOptions {
  /** Which devices there are; asked once, when the first run comes that may work on one. */
  readonly listDevices: () => Promise<DeviceListResult>;
  /** Those that the server's sweeps have are left to them. */
  readonly gpus?: TakenGpus | undefined;
  readonly log: (line: string) => void;
  /** More runs may have a place than before. */
  readonly onPlaces: () => void;
}

type Wish = Pick<Plan, 'runtime' | 'device'>;

export class RunQueue {
  readonly #options: RunQueueOptions;
  #waiting: { readonly entry: Entry; readonly wish: Wish }[] = [];
  readonly #atWork = new Map<Entry, { readonly wish: Wish; place: Place }>();
  /** Null as long as it is not known: one run is at work then. */
  #machine: MachinePlaces | null = null;
  #hasAsked = false;
  readonly #gpus: TakenGpus;

  constructor(options: RunQueueOptions) {
    this.#options = options;
    this.#gpus = options.gpus ?? new TakenGpus();
    this.#gpus.join(this, options.onPlaces);
  }

  has(entry: Entry): boolean {
    return this.#waiting.some((waiting) => waiting.entry === entry);
  }

  add(entry: Entry): void {
    const wish = wishOf(entry);
    this.#waiting.push({ entry, wish });
    if (mayBeOnDevice(wish)) void this.#ask();
  }

  remove(entry: Entry): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting.entry !== entry);
  }

  removeAll(): Entry[] {
    return this.#waiting.splice(0).map(({ entry }) => entry);
  }

  /**
   * The first for which there is a place, which it has from now on until that is left.
   * @returns with the device that it is to take; undefined where the plan names it, or it is the processor
   */
  take(): { readonly entry: Entry; readonly device: Gpu | undefined } | null {
    if (!this.#machine && this.#atWork.size > 0) return null;
    const taken = new Set([...this.#atWork.values()].map(({ place }) => place));
    for (const { entry, wish } of this.#waiting) {
      // It would take the first GPU that there is, which may be one of theirs.
      if (!this.#machine && mayBeOnDevice(wish) && this.#gpus.hasOthers(this)) continue;
      const isFree = (place: Place) => !taken.has(place) && !this.#gpus.isOthers(place, this);
      const place = placesFor(wish, this.#machine ?? processorAlone).find(isFree);
      if (place === undefined) continue;
      this.remove(entry);
      this.#gpus.take(place, this);
      this.#atWork.set(entry, { wish, place });
      return { entry, device: deviceAt(place, wish) };
    }
    return null;
  }

  leave(entry: Entry): void {
    const place = this.#atWork.get(entry)?.place;
    this.#atWork.delete(entry);
    if (place !== undefined) this.#gpus.leave(place, this);
  }

  async #ask(): Promise<void> {
    if (this.#hasAsked) return;
    this.#hasAsked = true;
    try {
      this.#machine = placesOf(await this.#options.listDevices());
    } catch (error) {
      this.#options.log(`the devices can't be listed, so one run trains at a time: ${(error as Error).message}`);
      return;
    }
    // Those that began before took the first that their runtime has.
    for (const work of this.#atWork.values()) {
      work.place = placesFor(work.wish, this.#machine)[0]!;
      this.#gpus.take(work.place, this);
    }
    this.#options.onPlaces();
  }
}

/** Of a folder that can't be read nothing is known; its trainer will say why. */
function wishOf(entry: Entry): Wish {
  try {
    return readOrigin(entry.summary.folder).plan;
  } catch {
    return { runtime: 'wasm' };
  }
}
