// The images that an evaluation keeps, as a safetensors file beside the checkpoint that it attacked: made whole and empty with the first
// batch, then filled in place, so that it can be read at any time and an evaluation that was interrupted fills it on.
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { KeptBatch } from '../attack/keptImages.ts';
import type { AttackedImages } from '../protocol/attackedImages.ts';
import type { EvaluationPlan } from '../protocol/evaluationPlan.ts';
import { dtypeBytes, SafetensorsFile, BadCheckpointError, writeHeader, type Dtype } from './safetensors.ts';
import { storageError } from './storageError.ts';

const format = 'kafscope attacked images';
/** Of images that are not attacked yet. */
const unknown = 255;

/** `step-960.attack-3.safetensors`: of the third evaluation, of the weights of step 960. */
export function attackedImagesName(step: number, evaluation: number): string {
  return `step-${String(step)}.attack-${String(evaluation)}.safetensors`;
}

/** What there is of each image: `[n, …]` floats or `[n]` numbers. */
const columns = [
  ['clean', 'F32'],
  ['attacked', 'F32'],
  ['labels', 'I32'],
  ['predictions', 'I32'],
  ['distances', 'F32'],
  ['outcomes', 'U8'],
] as const satisfies readonly (readonly [keyof KeptBatch, Dtype])[];

export class AttackedImagesFile {
  readonly #file: string;
  readonly #metadata: Readonly<Record<string, string>>;
  #descriptor: number | null = null;
  #dataStart = 0;

  constructor(file: string, { evaluation, runId }: { readonly evaluation: EvaluationPlan; readonly runId: string }) {
    this.#file = file;
    this.#metadata = { format, evaluation: JSON.stringify(evaluation), runId };
  }

  /** @throws StorageError */
  write(batch: KeptBatch): void {
    try {
      const descriptor = (this.#descriptor ??= this.#open(batch));
      const size = batch.shape.reduce((product, length) => product * length, 1);
      let start = this.#dataStart;
      for (const [name, dtype] of columns) {
        const { buffer, byteOffset, byteLength } = batch[name];
        const perImage = dtypeBytes[dtype] * (name === 'clean' || name === 'attacked' ? size : 1);
        writeWhole(descriptor, new Uint8Array(buffer, byteOffset, byteLength), start + batch.first * perImage);
        start += batch.total * perImage;
      }
      fs.fsyncSync(descriptor);
    } catch (error) {
      throw storageError(this.#file, error);
    }
  }

  close(): void {
    if (this.#descriptor !== null) fs.closeSync(this.#descriptor);
  }

  /** Of the evaluation's first batch a new file, else the one that is there. */
  #open({ total, shape, classes, first }: KeptBatch): number {
    const isImage = (name: string) => name === 'clean' || name === 'attacked';
    const tensors = columns.map(([name, dtype]) => ({
      ...{ name, dtype, shape: isImage(name) ? [total, ...shape] : [total] },
    }));
    const { header, sizeBytes } = writeHeader(tensors, { ...this.#metadata, classes: JSON.stringify(classes) });
    this.#dataStart = header.length;
    if (first > 0 && fs.existsSync(this.#file)) {
      const descriptor = fs.openSync(this.#file, 'r+');
      const there = Buffer.alloc(header.length);
      fs.readSync(descriptor, there, 0, header.length, 0);
      if (there.equals(header)) return descriptor;
      fs.closeSync(descriptor);
    }
    fs.rmSync(this.#file, { force: true }); // never through a link
    const descriptor = fs.openSync(this.#file, 'wx+');
    writeWhole(descriptor, header, 0);
    const nothing = new Uint8Array(total).fill(unknown);
    writeWhole(descriptor, nothing, header.length + sizeBytes - total);
    return descriptor;
  }
}

function writeWhole(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let written = 0; written < bytes.length;)
    written += fs.writeSync(descriptor, bytes, written, bytes.length - written, position + written);
}

const classesSchema = z.array(z.string().max(1000)).max(100_000);

/**
 * Images from `first` on, those that are attacked already.
 * @throws BadCheckpointError where the file is missing or is none of these
 */
export function readAttackedImages(
  file: string,
  { first, count }: { readonly first: number; readonly count: number },
): AttackedImages {
  const stored = new SafetensorsFile(file);
  try {
    const bad = () => new BadCheckpointError(`${path.basename(file)} holds no attacked images of Kafscope.`);
    if (stored.metadata['format'] !== format) throw bad();
    const tensorOf = (name: string, dtype: Dtype) => {
      const tensor = stored.tensors.find((one) => one.name === name);
      if (tensor?.dtype !== dtype) throw bad();
      return tensor;
    };
    const outcomes = stored.read(tensorOf('outcomes', 'U8'));
    const nAttacked = outcomes.findIndex((outcome) => outcome === unknown);
    const total = nAttacked < 0 ? outcomes.length : nAttacked;
    const end = Math.min(total, first + count);
    const part = (name: string, dtype: Dtype): ArrayBuffer => {
      const tensor = tensorOf(name, dtype);
      if (tensor.shape[0] !== outcomes.length) throw bad();
      const perImage = tensor.sizeBytes / outcomes.length;
      const start = tensor.start + Math.min(first, end) * perImage;
      return stored.read({ ...tensor, start, sizeBytes: Math.max(0, end - first) * perImage }).buffer;
    };
    const classes = classesIn(stored.metadata['classes'] ?? '[]');
    if (!classes) throw bad();
    return {
      ...{ first, total, classes, shape: tensorOf('clean', 'F32').shape.slice(1) },
      clean: new Float32Array(part('clean', 'F32')),
      attacked: new Float32Array(part('attacked', 'F32')),
      labels: new Int32Array(part('labels', 'I32')),
      predictions: new Int32Array(part('predictions', 'I32')),
      distances: new Float32Array(part('distances', 'F32')),
      outcomes: new Uint8Array(part('outcomes', 'U8')),
    };
  } finally {
    stored.close();
  }
}

/** Null where the text is no list of names. */
function classesIn(text: string): readonly string[] | null {
  try {
    return classesSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
