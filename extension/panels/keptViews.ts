// What a person has set in dashboards, by run, in the state of the workspace: it outlasts panels and windows.
import type * as vscode from 'vscode';

const key = 'dashboard.views';
/** The runs looked at last. */
const mostRuns = 100;

export class KeptViews {
  private readonly state: vscode.Memento;

  constructor(state: vscode.Memento) {
    this.state = state;
  }

  /** Of the run, or else of the one that was looked at last; null where there is none. */
  of(runId: string): unknown {
    const views = this.all();
    return views.find(([id]) => id === runId)?.[1] ?? views.at(-1)?.[1] ?? null;
  }

  keep(runId: string, view: object): void {
    const others = this.all().filter(([id]) => id !== runId);
    void this.state.update(key, [...others, [runId, view]].slice(-mostRuns));
  }

  private all(): readonly (readonly [string, unknown])[] {
    const kept: unknown = this.state.get(key);
    return Array.isArray(kept) ? kept.filter((one): one is [string, unknown] => Array.isArray(one)) : [];
  }
}
