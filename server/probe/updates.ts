// How far one update moved each tensor, and how strong the attack of its step pulled at the images. When to look is the trainer's choice.
import * as tf from '@tensorflow/tfjs-core';
import type { UpdatesRecord } from '../protocol/records.ts';
import { tensorNorms } from '../tensor/ops/norms.ts';
import { beginFloats, type Reading } from '../tensor/read.ts';
import type { Weighted } from './norms.ts';

/** Of a record, without its step. */
export type UpdateNorms = Pick<UpdatesRecord, 'before' | 'updates'>;

/**
 * The weights as they are before an update. What follows is asked of them once, behind it; they are held until then.
 * @returns ‖w‖₂ of each tensor before it, and ‖w′ − w‖₂, whatever moved them: an optimizer, its decay, a projection
 */
export function beforeUpdate({ parameters }: Weighted): () => Reading<UpdateNorms> {
  const before = tf.tidy(() => parameters.map(({ variable }) => tf.mul(variable, 1)));
  return () => {
    const lengths = tensorNorms(before);
    // One after the other, so that no more is held than before.
    const moved = parameters.map(({ variable }, index) => {
      const by = tf.sub(variable, before[index]!);
      before[index]!.dispose();
      return by;
    });
    const moves = tensorNorms(moved);
    const [readLengths, readMoves] = [beginFloats(lengths.norms), beginFloats(moves.norms)];
    tf.dispose([lengths.norms, lengths.nonFinite, moves.norms, moves.nonFinite, ...moved]);
    return () => ({ before: readLengths(), updates: readMoves() });
  };
}

/** Gradients with respect to images, as the attacks of one training step come to them. Apart from those that move weights. */
export class AttackGradients {
  /** Set for the steps that are observed. */
  isWanted = false;
  #lengths: tf.Tensor1D[] = [];

  /** @param gradient `[batch, …]`, of the sum of the images' losses; not kept */
  see(gradient: tf.Tensor): void {
    if (!this.isWanted) return;
    this.#lengths.push(
      tf.keep(
        tf.tidy(() => {
          const rows = tf.reshape(gradient, [gradient.shape[0]!, -1]);
          return tf.sqrt(tf.sum(tf.mul(rows, rows), 1));
        }),
      ),
    );
  }

  /** Of those seen since the last call; null where there were none. */
  take(): Reading<NonNullable<UpdatesRecord['attack']>> | null {
    const lengths = this.#lengths;
    this.#lengths = [];
    if (lengths.length === 0) return null;
    const readings = lengths.map((of) => beginFloats(of));
    tf.dispose(lengths);
    return () => {
      const passes = readings.map((read) => read());
      return {
        norms: Float32Array.from(passes, (pass) => pass.reduce((sum, length) => sum + length, 0) / pass.length),
        zeros: Int32Array.from(passes, (pass) => pass.filter((length) => length === 0).length),
      };
    };
  }

  dispose(): void {
    tf.dispose(this.#lengths);
  }
}
