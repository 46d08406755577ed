// What a person has set in the panel that compares runs; kept in the workspace.
import type { CardFrames } from '../controls/cardFrame.ts';
import type { Grouping } from './compareTable.ts';
import type { BandKind } from './runGroups.ts';

export type CompareAxis = 'step' | 'epoch' | 'wall' | 'relative';

export interface CompareView {
  /** `cells` where the runs are of a sweep. */
  readonly tab: 'cells' | 'curves' | 'table';
  /** `run`, `seeds`, or the path of a setting. */
  readonly grouping: string;
  readonly band: BandKind;
  readonly smoothing: number;
  readonly axis: CompareAxis;
  readonly xScale: 'linear' | 'log';
  readonly yScale: 'linear' | 'log';
  readonly isWithoutOutliers: boolean;
  /** Regular expressions. */
  readonly runFilter: string;
  readonly tagFilter: string;
  /** Ids of runs. */
  readonly hidden: readonly string[];
  readonly hiddenColumns: readonly string[];
  readonly cards: CardFrames;
  readonly sortKey: string;
  readonly isDescending: boolean;
  /** Of the table of cells. */
  readonly hiddenCellColumns: readonly string[];
  readonly cellSortKey: string;
  readonly isCellDescending: boolean;
  /** Key of the row that others are tested against; null for none. */
  readonly baseline: string | null;
}

export const defaultCompareView: CompareView = {
  tab: 'curves',
  grouping: 'run',
  band: 'std',
  smoothing: 0.9,
  axis: 'step',
  xScale: 'linear',
  yScale: 'linear',
  isWithoutOutliers: false,
  runFilter: '',
  tagFilter: '',
  hidden: [],
  hiddenColumns: [],
  cards: {},
  sortKey: '',
  isDescending: false,
  hiddenCellColumns: [],
  cellSortKey: 'status',
  isCellDescending: false,
  baseline: null,
};

/** Of a sweep one wants to see first how it goes, then its settings, not each of their seeds. */
export const defaultSweepView: CompareView = { ...defaultCompareView, tab: 'cells', grouping: 'seeds' };

/** What was kept, laid over the defaults; what is of another kind than it should be is left out. */
export function keptView(kept: unknown, defaults = defaultCompareView): CompareView {
  if (typeof kept !== 'object' || kept === null) return defaults;
  const known = Object.entries(kept).filter(([key, value]) => {
    const usual = (defaults as unknown as Record<string, unknown>)[key];
    return key === 'baseline' ? value === null || typeof value === 'string' : typeof value === typeof usual;
  });
  return { ...defaults, ...Object.fromEntries(known) };
}

export function groupingOf(view: CompareView): Grouping {
  return view.grouping === 'run' || view.grouping === 'seeds' ? view.grouping : { setting: view.grouping };
}

/** Asks the panel to keep a change of view. */
export function changeCompareView(source: EventTarget, change: Partial<CompareView>): void {
  source.dispatchEvent(new CustomEvent('view-changed', { detail: change, bubbles: true, composed: true }));
}

/** Whether a text has the pattern in it; a pattern that is none matches as plain text. */
export function matches(text: string, pattern: string): boolean {
  if (pattern.trim() === '') return true;
  try {
    return new RegExp(pattern, 'i').test(text);
  } catch {
    return text.toLowerCase().includes(pattern.toLowerCase());
  }
}

/** Of as many runs as there may be; far apart for neighbours. */
export function runColor(index: number, isLight: boolean): string {
  return `hsl(${((index * 137.508 + 212) % 360).toFixed(0)} ${isLight ? '70% 38%' : '68% 64%'})`;
}
