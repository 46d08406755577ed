// Where a sweep can be worked on, as a choice. No `vscode`.
import type { SweepPlace } from '../../server/protocol/sweep.ts';

export interface PlaceChoice {
  readonly on: string;
  readonly label: string;
  readonly description: string;
}

export interface PlaceChoices {
  readonly choices: readonly PlaceChoice[];
  /** Why one of the places is not among them; null where all are. */
  readonly fault: string | null;
}

export function placeChoices(places: readonly SweepPlace[]): PlaceChoices {
  const choices = places
    .filter(({ fault }) => fault === null)
    .map(({ on, title }) => ({
      ...{ on, label: `On ${title}` },
      description:
        on === 'here'
          ? 'several runs at once, by cores and memory'
          : 'a job for each run, which goes on without this window',
    }));
  return { choices, fault: places.find(({ fault }) => fault !== null)?.fault ?? null };
}
