// What a person has set in dashboards, by run, and in comparisons, by the set of runs, in the state of the workspace: it outlasts panels and
// windows.
import type * as vscode from 'vscode';

/** Those looked at last. */
const most = 100;

export class KeptViews {
  private readonly state: vscode.Memento;
  private readonly key: string;

  constructor(state: vscode.Memento, key: 'dashboard.views' | 'compare.views' | 'sweep.views') {
    this.state = state;
    this.key = key;
  }

  /** Of the run or the set, or else of the one that was looked at last; null where there is none. */
  of(of: string): unknown {
    const views = this.all();
    return views.find(([id]) => id === of)?.[1] ?? views.at(-1)?.[1] ?? null;
  }

  has(of: string): boolean {
    return this.all().some(([id]) => id === of);
  }

  keep(of: string, view: object): void {
    const others = this.all().filter(([id]) => id !== of);
    void this.state.update(this.key, [...others, [of, view]].slice(-most));
  }

  private all(): readonly (readonly [string, unknown])[] {
    const kept: unknown = this.state.get(this.key);
    return Array.isArray(kept) ? kept.filter((one): one is [string, unknown] => Array.isArray(one)) : [];
  }
}
