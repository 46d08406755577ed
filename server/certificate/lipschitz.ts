// An upper bound of the network's Lipschitz constant under L2, as a product over its layers, and what it certifies.
import { areCorrect, marginsOf } from '../attack/predictions.ts';
import type { LayerLayout } from '../network/layout.ts';
import type { LayerBound } from '../protocol/records.ts';
import { outcomeOf, type Certificate, type Subject } from './certificate.ts';
import { layerBound } from './layerBound.ts';

/**
 * L ≤ ∏ Lᵢ (Szegedy et al., 2014, §4.3; Peconi, 2020, eqs. 3.12 and 3.13; called L_ub, for it is not the smallest), sums of the ways of
 * a residual, √Σ of squares where ways lie beside each other. z_y − z_k changes by at most √2·L·‖δ‖₂, so nothing within the margin over
 * √2·L fools (Tsuzuku et al., 2018, proposition 1). In exact arithmetic.
 */
export const lipschitz: Certificate<'lipschitz'> = function* (subject, plan) {
  const known: LayerBound[] = [];
  const input = Math.max(...(subject.normalization?.scale ?? [1]).map(Math.abs));
  if (subject.normalization) known.push({ layer: 'input', kind: 'normalization', bound: input, product: input });
  const whole = yield* boundOf(subject, subject.layouts, input, known);
  return {
    batchSize: plan.batchSize,
    layers: known,
    *certify({ labels, logits }, verdicts) {
      yield;
      const isRight = areCorrect(logits, labels);
      marginsOf(logits, labels).forEach((margin, row) => {
        const radius = isRight[row] ? margin / (Math.SQRT2 * whole) : 0;
        verdicts.radii[row] = radius;
        verdicts.outcomes[row] = isRight[row] ? outcomeOf(radius, plan.epsilon) : 0;
      });
      verdicts.nDone = labels.length;
    },
    dispose: () => undefined,
  };
};

/** Of layers one after the other. @param before of all that comes before them; every layer is noted with the product up to it */
export function* boundOf(
  subject: Subject,
  layouts: readonly LayerLayout[],
  before: number,
  known: LayerBound[],
): Generator<readonly LayerBound[], number, void> {
  let product = before;
  for (const layout of layouts) {
    let bound: number;
    if (layout.type === 'residual') {
      const own = (yield* boundOf(subject, layout.branch, product, known)) / product;
      const through = (yield* boundOf(subject, layout.skip, product, known)) / product;
      const scale = yield* layerBound(subject, layout);
      bound = scale * own + Math.sqrt(layout.tiles) * through;
    } else if (layout.type === 'concat') {
      let squares = 0;
      for (const way of layout.ways) squares += ((yield* boundOf(subject, way, product, known)) / product) ** 2;
      bound = Math.sqrt(squares);
    } else bound = yield* layerBound(subject, layout);
    product *= bound;
    known.push({ layer: layout.name, kind: layout.type, bound, product });
    yield known;
  }
  return product;
}
