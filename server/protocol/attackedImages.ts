// Images that an evaluation kept, as a panel shows them: row by row, as they were and as they were attacked.

export interface AttackedImages {
  /** Position of the first in the test set. */
  readonly first: number;
  /** How many there are in all. */
  readonly total: number;
  readonly classes: readonly string[];
  /** Of a sample: `[height, width, channels]` of a picture. */
  readonly shape: readonly number[];
  readonly clean: Float32Array;
  /** What fooled the network; the image itself where nothing did. */
  readonly attacked: Float32Array;
  readonly labels: Int32Array;
  /** What the network says of the attacked image. */
  readonly predictions: Int32Array;
  /** In the attack's norm and units. */
  readonly distances: Float32Array;
  /** As the records have them: 0 wrong as it is, 1 fooled, 2 stands. */
  readonly outcomes: Uint8Array;
}
