// What a person has set in the panel that compares runs; kept in the workspace.
import type { NormQuantity } from '../../server/protocol/series.ts';
import { defaultCurveView, laidOver, withoutChosenY, type CurveView } from '../curves/curveView.ts';
import { namedGroupings, type Grouping } from './compareTable.ts';
import type { BandKind } from './runGroups.ts';

export interface CompareView extends CurveView {
  /** `cells` where the runs are of a sweep. */
  readonly tab: 'cells' | 'curves' | 'norms' | 'robustness' | 'shift' | 'table';
  /** One that has a name, or the path of a setting. */
  readonly grouping: string;
  readonly band: BandKind;
  /** Of the layers, in the tab of norms. */
  readonly quantity: NormQuantity;
  /** A regular expression. */
  readonly runFilter: string;
  /** Ids of runs. */
  readonly hidden: readonly string[];
  readonly hiddenColumns: readonly string[];
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
  ...defaultCurveView,
  tab: 'curves',
  grouping: 'run',
  band: 'std',
  quantity: 'gradients',
  runFilter: '',
  hidden: [],
  hiddenColumns: [],
  sortKey: '',
  isDescending: false,
  hiddenCellColumns: [],
  cellSortKey: 'status',
  isCellDescending: false,
  baseline: null,
};

/** Of a sweep one wants to see first how it goes, then its settings, not each of their seeds. */
export const defaultSweepView: CompareView = { ...defaultCompareView, tab: 'cells', grouping: 'seeds' };

/** Of another set all that says something of any. */
export function keptView(
  { view, isOwnView }: { readonly view: unknown; readonly isOwnView: boolean },
  defaults = defaultCompareView,
): CompareView {
  const kept = laidOver(view, defaults);
  return isOwnView ? kept : { ...kept, ...nothingOfTheSet, cards: withoutChosenY(kept.cards) };
}

const nothingOfTheSet = {
  ...{ zoom: null, filter: '', runFilter: '', hidden: [], baseline: null },
} satisfies Partial<CompareView>;

export function groupingOf({ grouping }: CompareView): Grouping {
  return namedGroupings.find((name) => name === grouping) ?? { setting: grouping };
}

/** Asks the panel to keep a change of view. */
export function changeCompareView(source: EventTarget, change: Partial<CompareView>): void {
  source.dispatchEvent(new CustomEvent('view-changed', { detail: change, bubbles: true, composed: true }));
}

/** Of as many runs as there may be; far apart for neighbours. */
export function runColor(index: number, isLight: boolean): string {
  return `hsl(${((index * 137.508 + 212) % 360).toFixed(0)} ${isLight ? '70% 38%' : '68% 64%'})`;
}
