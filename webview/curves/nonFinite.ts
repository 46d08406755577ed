// Where values stopped being finite: at the first such step, of gradients the first as the backward pass comes to them, of weights the
// first in the network's order.
import type { NormColumns } from '../../server/protocol/snapshot.ts';

export interface NonFiniteFinding {
  /** Position in the norms' log. */
  readonly row: number;
  /** Position in `prepared.parameters`. */
  readonly parameter: number;
  readonly of: 'weight' | 'gradient';
}

/** Remembers how far it has looked, so that a live run costs only its new rows. */
export class NonFiniteScan {
  private source: readonly number[] | null = null;
  private looked = 0;
  private finding: NonFiniteFinding | null = null;

  /** Null where all are finite. */
  of(columns: NormColumns): NonFiniteFinding | null {
    if (columns.step !== this.source) {
      this.source = columns.step;
      this.looked = 0;
      this.finding = null;
    }
    for (; this.finding === null && this.looked < columns.step.length; this.looked++) {
      this.finding =
        firstIn(columns.nonFiniteGradients[this.looked], this.looked, 'gradient') ??
        firstIn(columns.nonFiniteWeights[this.looked], this.looked, 'weight');
    }
    return this.finding;
  }
}

function firstIn(counts: Int32Array | undefined, row: number, of: 'weight' | 'gradient'): NonFiniteFinding | null {
  const isBroken = (count: number) => count > 0;
  const parameter = (of === 'gradient' ? counts?.findLastIndex(isBroken) : counts?.findIndex(isBroken)) ?? -1;
  return parameter < 0 ? null : { row, parameter, of };
}
