// What there is to see of a data set: counts by class and split, some pictures or the columns' figures. Made by
// server/data/datasetLook.ts, of a bounded size whatever the data set; drawn by webview/dataset.

export interface DatasetLook extends DatasetFigures {
  /** As server/protocol/datasets.ts calls it. */
  readonly title: string;
  /** Absolute paths that it was read from; none where it was made. */
  readonly places: readonly string[];
}

export interface DatasetFigures {
  /** Height, width, channels; or one number, the columns of a table. */
  readonly sampleShape: readonly number[];
  readonly splits: readonly SplitLook[];
  readonly nClasses: number;
  /** The first of them. */
  readonly classes: readonly ClassLook[];
  /** Null for tables. */
  readonly pictures: PicturesLook | null;
  /** Null for pictures. */
  readonly table: TableLook | null;
}

export interface SplitLook {
  readonly name: 'train' | 'validation' | 'test';
  readonly nSamples: number;
  /** How many of them, evenly spread, were looked at: counts and figures are of these. */
  readonly nLooked: number;
}

export interface ClassLook {
  readonly name: string;
  /** In each split, of the samples looked at. */
  readonly counts: readonly number[];
}

/** Population figures; NaN for no values. */
export interface Moments {
  readonly mean: number;
  readonly std: number;
}

/** Of the training samples looked at. Pictures are bytes, row by row, channels innermost. */
export interface PicturesLook {
  /** Of a picture as it is drawn: where it is larger than that, means of `shrink` × `shrink` pixels. */
  readonly height: number;
  readonly width: number;
  /** 1 (grey) or 3; of pictures with other numbers of channels the first, or the first three. */
  readonly channels: 1 | 3;
  readonly shrink: number;
  /** Of each channel that is drawn, in [0, 1], of the pictures in their own size. */
  readonly figures: readonly Moments[];
  /** As `classes`. */
  readonly classes: readonly ClassPictures[];
}

export interface ClassPictures {
  /** Of all values of the channels that are drawn, in [0, 1]. */
  readonly figures: Moments;
  readonly nSamples: number;
  /** `nSamples` pictures. */
  readonly samples: Uint8Array;
  /** The mean of the pictures as they are drawn; empty where the class has none. */
  readonly mean: Uint8Array;
  /** Their deviation, doubled: 1/2 is the most that values in [0, 1] can have. */
  readonly deviation: Uint8Array;
}

/** Of the training samples looked at. */
export interface TableLook {
  readonly nColumns: number;
  /** The first of them. */
  readonly columns: readonly ColumnLook[];
}

export interface ColumnLook {
  readonly name: string;
  /** Of the finite values; both 0 where there are none. */
  readonly least: number;
  readonly most: number;
  readonly all: ColumnPart;
  /** As `classes`. */
  readonly classes: readonly ColumnPart[];
}

export interface ColumnPart extends Moments {
  /** How many values lie in each of equal parts from `least` to `most`; values that are not finite in none. */
  readonly bins: readonly number[];
}

/** `dataset/progressed`: how far the look that a client named is. */
export interface LookProgress {
  readonly lookId: string;
  /** For example `reading the pictures of /data/pictures`. */
  readonly what: string;
  readonly done: number;
  /** Null where it is not known. */
  readonly total: number | null;
}
