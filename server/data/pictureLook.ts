// Some pictures of each class, with the mean and the deviation of all of them.
import type { ClassPictures, Moments, PicturesLook } from '../protocol/datasetLook.ts';
import type { Samples } from './split.ts';

const nShown = 8;
/** Larger pictures are drawn smaller. */
const longestSide = 64;

/** Of values less the first of them, so that values that are all the same have a deviation of 0, in float64. */
interface Sums {
  count: number;
  first: number;
  sum: number;
  squares: number;
}

interface ClassSums {
  readonly samples: Uint8Array[];
  readonly sum: Float64Array;
  readonly squares: Float64Array;
  /** By channel, of all values in the pictures' own size. */
  readonly whole: readonly Sums[];
  count: number;
}

export class PicturesOfClasses {
  readonly #height: number;
  readonly #width: number;
  readonly #depth: number;
  readonly #drawn: {
    readonly height: number;
    readonly width: number;
    readonly channels: 1 | 3;
    readonly shrink: number;
  };
  readonly #classes: readonly ClassSums[];
  readonly #channels: Sums[];

  /** @param sampleShape height, width, channels */
  constructor(sampleShape: readonly number[], nClasses: number) {
    const [height = 1, width = 1, depth = 1] = sampleShape;
    [this.#height, this.#width, this.#depth] = [height, width, depth];
    const shrink = Math.ceil(Math.max(height, width) / longestSide);
    this.#drawn = {
      ...{ height: Math.ceil(height / shrink), width: Math.ceil(width / shrink) },
      ...{ channels: depth < 3 ? 1 : 3, shrink },
    };
    const size = this.#drawn.height * this.#drawn.width * this.#drawn.channels;
    this.#channels = Array.from({ length: this.#drawn.channels }, noValues);
    this.#classes = Array.from({ length: nClasses }, () => ({
      ...{
        samples: [],
        sum: new Float64Array(size),
        squares: new Float64Array(size),
        whole: Array.from({ length: this.#drawn.channels }, noValues),
        count: 0,
      },
    }));
  }

  add({ values, labels }: Samples): void {
    const size = this.#height * this.#width * this.#depth;
    labels.forEach((label, index) => {
      const picture = values.subarray(index * size, (index + 1) * size);
      const sums = this.#classes[label];
      this.#channels.forEach((of, channel) => {
        if (of.count === 0) of.first = picture[channel]!;
        const added = channelSums(picture, channel, this.#depth, of.first);
        addSums(of, added);
        if (sums) addSums(sums.whole[channel]!, added);
      });
      if (sums) addPicture(sums, this.#shrunk(picture));
    });
  }

  finish(): PicturesLook {
    return {
      ...this.#drawn,
      figures: this.#channels.map(momentsOf),
      classes: this.#classes.map(finished),
    };
  }

  /** Means of squares of pixels; at the right and lower edges of what is left. */
  #shrunk(picture: Float32Array): Float32Array {
    const { height, width, channels, shrink } = this.#drawn;
    const small = new Float32Array(height * width * channels);
    for (let y = 0, to = 0; y < height; y++) {
      const bottom = Math.min(this.#height, (y + 1) * shrink);
      for (let x = 0; x < width; x++) {
        const right = Math.min(this.#width, (x + 1) * shrink);
        for (let channel = 0; channel < channels; channel++) {
          let sum = 0;
          for (let row = y * shrink; row < bottom; row++)
            for (let column = x * shrink; column < right; column++)
              sum += picture[(row * this.#width + column) * this.#depth + channel]!;
          small[to++] = sum / ((bottom - y * shrink) * (right - x * shrink));
        }
      }
    }
    return small;
  }
}

function noValues(): Sums {
  return { count: 0, first: 0, sum: 0, squares: 0 };
}

function channelSums(picture: Float32Array, channel: number, depth: number, first: number): Sums {
  let sum = 0;
  let squares = 0;
  for (let at = channel; at < picture.length; at += depth) {
    const shifted = picture[at]! - first;
    sum += shifted;
    squares += shifted * shifted;
  }
  return { count: picture.length / depth, first, sum, squares };
}

/** Both of values less the same one. */
function addSums(to: Sums, { count, first, sum, squares }: Sums): void {
  to.count += count;
  to.first = first;
  to.sum += sum;
  to.squares += squares;
}

function addPicture(sums: ClassSums, picture: Float32Array): void {
  sums.count++;
  for (let at = 0; at < picture.length; at++) {
    sums.sum[at]! += picture[at]!;
    sums.squares[at]! += picture[at]! * picture[at]!;
  }
  if (sums.samples.length < nShown) sums.samples.push(bytesOf(picture));
}

function momentsOf({ count, first, sum, squares }: Sums): Moments {
  const mean = sum / count;
  // Rounding may leave a little less than nothing.
  return { mean: first + mean, std: Math.sqrt(Math.max(0, squares / count - mean * mean)) };
}

/** Of parts that are equally many. */
function joinedMoments(parts: readonly Moments[]): Moments {
  const mean = parts.reduce((sum, part) => sum + part.mean, 0) / parts.length;
  const variance = parts.reduce((sum, part) => sum + part.std ** 2 + (part.mean - mean) ** 2, 0) / parts.length;
  return { mean, std: Math.sqrt(variance) };
}

function finished({ samples, sum, squares, whole, count }: ClassSums): ClassPictures {
  const ofPixels =
    count === 0 ? [] : Array.from(sum, (each, at) => momentsOf({ count, first: 0, sum: each, squares: squares[at]! }));
  const joined = new Uint8Array(samples.length * sum.length);
  samples.forEach((each, index) => {
    joined.set(each, index * sum.length);
  });
  return {
    ...{ figures: joinedMoments(whole.map(momentsOf)), nSamples: samples.length, samples: joined },
    mean: bytesOf(ofPixels.map(({ mean }) => mean)),
    deviation: bytesOf(ofPixels.map(({ std }) => 2 * std)),
  };
}

/** Of values in [0, 1]; others are clipped. */
function bytesOf(values: ArrayLike<number>): Uint8Array {
  return new Uint8Array(Uint8ClampedArray.from(values, (value) => 255 * value));
}
