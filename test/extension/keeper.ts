// Keeps things by name, as VS Code's state does, which makes JSON of them.
import type { Keeper } from '../../extension/runs/runsView.ts';

export function keeper(kept: Record<string, unknown> = {}): Keeper & { readonly kept: Record<string, unknown> } {
  return {
    kept,
    get: (key) => kept[key],
    update: (key, value) => {
      kept[key] = JSON.parse(JSON.stringify(value));
      return Promise.resolve();
    },
  };
}
