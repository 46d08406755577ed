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

export interface RunQueueOptions {
  /** Which devices there are; asked once, when the first run comes that may work on one. */
  readonly listDevices: () => Promise<DeviceListResult>;
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

  constructor(options: RunQueueOptions) {
    this.#options = options;
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
      const place = placesFor(wish, this.#machine ?? processorAlone).find((one) => !taken.has(one));
      if (place === undefined) continue;
      this.remove(entry);
      this.#atWork.set(entry, { wish, place });
      return { entry, device: deviceAt(place, wish) };
    }
    return null;
  }

  leave(entry: Entry): void {
    this.#atWork.delete(entry);
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
    for (const work of this.#atWork.values()) work.place = placesFor(work.wish, this.#machine)[0]!;
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
