// The built-in data set `shapes`: 32×32 colour pictures of ten bright figures at random place, size, angle and colour, on a
// dark, shaded, noisy ground and partly hidden by clutter. Image i of a split depends on seed, split and i alone, so that a smaller set is
// the beginning of a larger one. The figures themselves are in figures.ts.
import { shapesClasses } from '../protocol/datasets.ts';
import type { OpenedData } from './opened.ts';
import { figures } from './figures.ts';
import { openSequence, type RandomSequence } from './randomSequence.ts';
import { memoryRows, sharedBytes, sharedLabels, type Rows } from './rows.ts';

const side = 32;
const splitStreams = { train: 1, test: 2 } as const;

/** Classes take turns: image i shows class i mod 10. */
export function makeShapes({
  trainSamples,
  testSamples,
  seed,
}: {
  readonly trainSamples: number;
  readonly testSamples: number;
  readonly seed: number;
}): OpenedData {
  return {
    classes: shapesClasses,
    sampleShape: [side, side, 3],
    train: makeSplit(trainSamples, seed, splitStreams.train),
    test: makeSplit(testSamples, seed, splitStreams.test),
    isTable: false,
  };
}

function makeSplit(nSamples: number, seed: number, stream: number): Rows {
  const images = sharedBytes(nSamples * side * side * 3);
  const labels = sharedLabels(nSamples);
  const picture = new Float32Array(side * side * 3);
  for (let index = 0; index < nSamples; index++) {
    const label = index % figures.length;
    labels[index] = label;
    paint(picture, label, openSequence(seed, stream, index));
    const offset = index * picture.length;
    for (let value = 0; value < picture.length; value++) {
      images[offset + value] = Math.max(0, Math.min(255, Math.round(picture[value]! * 255)));
    }
  }
  return memoryRows(images, labels, picture.length);
}

type Colour = readonly [number, number, number];

function paint(picture: Float32Array, label: number, random: RandomSequence): void {
  paintGround(picture, drawColour(random, 0, 0.45), random);
  const figureColour = drawColour(random, 0.55, 1);
  const radius = between(random, 7.5, 12.5);
  const reach = Math.max(0, 15.5 - 0.85 * radius);
  const stamp = {
    x: 15.5 + between(random, -reach, reach),
    y: 15.5 + between(random, -reach, reach),
    angle: between(random, 0, 2 * Math.PI),
    radius,
  };
  paintFigure(picture, figures[label]!.distance, stamp, figureColour);
  const nStrokes = Math.floor(random() * 3);
  for (let stroke = 0; stroke < nStrokes; stroke++) paintStroke(picture, drawColour(random, 0, 1), random);
  const noise = between(random, 0.02, 0.08);
  for (let value = 0; value < picture.length; value++) picture[value]! += noise * (2 * random() - 1);
}

/** A colour that changes across the picture, crossed by faint waves. */
function paintGround(picture: Float32Array, colour: Colour, random: RandomSequence): void {
  const slope = between(random, 0, 0.012);
  const towards = between(random, 0, 2 * Math.PI);
  const waves = between(random, 0, 0.08);
  const frequency = between(random, 0.3, 1.2);
  const along = between(random, 0, 2 * Math.PI);
  const phase = between(random, 0, 2 * Math.PI);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const shade =
        slope * ((x - 15.5) * Math.cos(towards) + (y - 15.5) * Math.sin(towards)) +
        waves * Math.sin(frequency * (x * Math.cos(along) + y * Math.sin(along)) + phase);
      for (let channel = 0; channel < 3; channel++) {
        picture[(y * side + x) * 3 + channel] = colour[channel]! + shade;
      }
    }
  }
}

interface Stamp {
  readonly x: number;
  readonly y: number;
  readonly angle: number;
  readonly radius: number;
}

function paintFigure(
  picture: Float32Array,
  distance: (x: number, y: number) => number,
  { x: centreX, y: centreY, angle, radius }: Stamp,
  colour: Colour,
): void {
  const cos = Math.cos(angle) / radius;
  const sin = Math.sin(angle) / radius;
  const reach = radius + 1;
  for (let y = firstWithin(centreY, reach); y <= lastWithin(centreY, reach); y++) {
    for (let x = firstWithin(centreX, reach); x <= lastWithin(centreX, reach); x++) {
      const dx = x - centreX;
      const dy = y - centreY;
      const pixelDistance = distance(dx * cos + dy * sin, dy * cos - dx * sin) * radius;
      blend(picture, y * side + x, colour, 0.5 - pixelDistance);
    }
  }
}

/** A short line over everything: the figure is seldom seen whole. */
function paintStroke(picture: Float32Array, colour: Colour, random: RandomSequence): void {
  const middleX = between(random, 2, 29);
  const middleY = between(random, 2, 29);
  const angle = between(random, 0, Math.PI);
  const half = between(random, 2, 7);
  const width = between(random, 0.5, 1.2);
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const reach = half + width + 1;
  for (let y = firstWithin(middleY, reach); y <= lastWithin(middleY, reach); y++) {
    for (let x = firstWithin(middleX, reach); x <= lastWithin(middleX, reach); x++) {
      const along = (x - middleX) * cos + (y - middleY) * sin;
      const across = (y - middleY) * cos - (x - middleX) * sin;
      const outside = Math.max(Math.abs(along) - half, Math.abs(across) - width);
      blend(picture, y * side + x, colour, 0.5 - outside);
    }
  }
}

function firstWithin(middle: number, reach: number): number {
  return Math.max(0, Math.ceil(middle - reach));
}

function lastWithin(middle: number, reach: number): number {
  return Math.min(side - 1, Math.floor(middle + reach));
}

function blend(picture: Float32Array, pixel: number, colour: Colour, coverage: number): void {
  if (coverage <= 0) return;
  const share = Math.min(1, coverage);
  for (let channel = 0; channel < 3; channel++) {
    picture[pixel * 3 + channel]! += share * (colour[channel]! - picture[pixel * 3 + channel]!);
  }
}

function drawColour(random: RandomSequence, low: number, high: number): Colour {
  return [between(random, low, high), between(random, low, high), between(random, low, high)];
}

function between(random: RandomSequence, low: number, high: number): number {
  return low + (high - low) * random();
}
