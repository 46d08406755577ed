// What the makers of activation layers take and give.
import type { ShapeInfo } from '../protocol/records.ts';
import type { Layer } from './layer.ts';
import type { ParameterMaker } from './parameters.ts';

export interface ActivationLayer {
  readonly apply: Layer;
  /** Null where nothing of it is trained. */
  readonly info: ShapeInfo | null;
}

export interface Place {
  /** Of the layer, for example `block2.kaf1`. */
  readonly name: string;
  /** The length of the last axis of what it makes. */
  readonly channels: number;
  readonly maker: ParameterMaker;
  readonly progress: Progress;
}

/** How far training has come, for layers that change by it; the network keeps it up to date. */
export interface Progress {
  /** Epochs done before the one at hand. */
  epoch: number;
}
