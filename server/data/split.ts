// What every data set is made of.

export interface Dataset {
  readonly name: string;
  readonly classes: readonly string[];
  /** Height, width, channels. */
  readonly sampleShape: readonly number[];
  readonly train: Split;
  readonly test: Split;
}

export interface Split {
  readonly nSamples: number;
  /** Bytes 0…255 of `[nSamples, height, width, channels]`, row by row. */
  readonly images: Uint8Array;
  /** `[nSamples]`, each below the number of classes. */
  readonly labels: Uint8Array;
}
