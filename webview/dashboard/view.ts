// What a user chose to look at: kept while the panel is hidden and when the window reloads.
import { defaultCurveView, laidOver, type CurveView } from '../curves/curveView.ts';
import type { Range } from '../curves/decimate.ts';
import type { ShiftMeasure } from '../../server/protocol/outcomes.ts';
import type { AttackView } from '../curves/attackCurves.ts';
import type { NormQuantity } from '../curves/normTable.ts';
import type { NetworkQuantity } from '../network/networkParts.ts';
import type { YScale } from '../charts/curve.ts';
import type { EvaluationDraft } from '../state/evaluationForm.ts';

const tabNames = ['curves', 'norms', 'network', 'activations', 'shift', 'robustness'] as const;
export type TabName = (typeof tabNames)[number];

/** Of a layer's channels. */
export type ChannelOrder = 'drift' | 'curvature' | 'shift' | 'alike' | 'index';

export interface DashboardView extends CurveView {
  readonly runId: string | null;
  readonly tab: TabName;
  readonly quantity: NormQuantity;
  readonly grouping: 'layers' | 'tensors';
  readonly normView: 'map' | 'lines';
  /** The line by name that another tab leads to; null for the first. */
  readonly normLine: string | null;
  /** The step whose norms are shown; null for the newest. */
  readonly normStep: number | null;
  /** The steps that are shown; null for all. */
  readonly normZoom: Range | null;
  /** Of the layers compared across depth, by name; null for the main one. */
  readonly depthKind: string | null;
  readonly networkQuantity: NetworkQuantity;
  /** By name; null for the first. */
  readonly networkLayer: string | null;
  /** Blocks of the map whose layers are one line, by name; null for all of them where the network is large. */
  readonly foldedBlocks: readonly string[] | null;
  /** Lines hidden in the lines view, by name. */
  readonly hiddenLines: readonly string[];
  /** Null for the first. */
  readonly layer: string | null;
  readonly order: ChannelOrder;
  readonly shiftMeasure: ShiftMeasure;
  /** Null for the first. */
  readonly shiftLayer: string | null;
  /** Null for the newest. */
  readonly evaluation: number | null;
  /** Of the form for attacks; null where nothing was typed. */
  readonly evaluationDraft: EvaluationDraft | null;
  readonly attackScale: YScale;
  /** Of those that an evaluation has; its first where it hasn't this one. */
  readonly attackView: AttackView;
}

export const defaultView: DashboardView = {
  ...defaultCurveView,
  runId: null,
  tab: 'curves',
  quantity: 'gradients',
  grouping: 'layers',
  normView: 'map',
  normLine: null,
  normStep: null,
  normZoom: null,
  depthKind: null,
  networkQuantity: 'gradients',
  networkLayer: null,
  foldedBlocks: null,
  hiddenLines: [],
  layer: null,
  order: 'drift',
  shiftMeasure: 'relative',
  shiftLayer: null,
  evaluation: null,
  evaluationDraft: null,
  attackScale: 'linear',
  attackView: 'restarts',
};

/** What was chosen of one run says nothing of another. */
export const nothingOfTheRun = {
  ...{ evaluation: null, evaluationDraft: null, layer: null, networkLayer: null, normLine: null, normStep: null },
  ...{ foldedBlocks: null, shiftLayer: null, normZoom: null },
  ...{ hiddenLines: [], zoom: null, filter: '' },
} satisfies Partial<DashboardView>;

/**
 * What was kept in the workspace, laid over the defaults: of this run, or, where it has never been looked at, of another all that says
 * something of any run. What is of another kind than it should be is left out.
 */
export function keptView(kept: unknown, runId: string): DashboardView {
  const view = laidOver(kept, defaultView);
  const tab = view.runId === runId && isTabName(view.tab) ? view.tab : defaultView.tab;
  return { ...view, tab };
}

function isTabName(text: string): text is TabName {
  return (tabNames as readonly string[]).includes(text);
}

/** Asks the panel to keep a change of view. */
export function changeView(source: EventTarget, change: Partial<DashboardView>): void {
  source.dispatchEvent(new CustomEvent('view-changed', { detail: change, bubbles: true, composed: true }));
}
