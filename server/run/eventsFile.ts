// TensorBoard's event file: TFRecord frames of Event protocol buffers with scalars. Only what TensorBoard needs to plot a run.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { PreparedRecord, Row } from '../protocol/records.ts';
import { maskedCrc32c } from './crc32c.ts';
import { storageError } from './storageError.ts';

type Scalar = readonly [tag: string, value: number];

export class EventsFile {
  readonly file: string;
  readonly #descriptor: number;
  #prepared: PreparedRecord | null;

  /**
   * Makes a new file, whose name sorts after those in the folder whatever the clock says. `startStep` is the first step that
   * follows: TensorBoard forgets what older files say of that step and later ones. It takes the first such mark of a run for
   * its beginning, so every file has one.
   * @throws StorageError
   */
  constructor(runFolder: string, options: { timeMs: number; startStep: number; prepared: PreparedRecord | null }) {
    this.#prepared = options.prepared;
    try {
      this.file = path.join(runFolder, nextName(fs.readdirSync(runFolder), options.timeMs));
      this.#descriptor = fs.openSync(this.file, 'wx');
    } catch (error) {
      throw storageError(runFolder, error);
    }
    const sessionStart = bytesField(7, [varintField(1, 1)]);
    this.#write([
      event(options.timeMs, 0, text(3, 'brain.Event:2')),
      event(options.timeMs, Math.max(1, options.startStep), sessionStart),
    ]);
  }

  /** @throws StorageError */
  add(rows: readonly Row[]): void {
    this.#write(
      rows.flatMap((row) => {
        const entry = this.#scalars(row);
        return entry ? [event(row.timeMs, entry.step, summary(entry.scalars))] : [];
      }),
    );
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }

  #scalars({ record }: Row): { step: number; scalars: Scalar[] } | null {
    switch (record.type) {
      case 'prepared':
        this.#prepared = record;
        return null;
      case 'step': {
        const { step, loss, accuracy, learningRate } = record;
        return {
          step,
          scalars: [
            ['train/loss', loss],
            ['train/accuracy', accuracy],
            ['train/learning_rate', learningRate],
          ],
        };
      }
      case 'test': {
        const { step, loss, accuracy, robustAccuracy, auc, validation } = record;
        const scalars: Scalar[] = [
          ['test/loss', loss],
          ['test/accuracy', accuracy],
        ];
        if (auc !== undefined) scalars.push(['test/auc', auc]);
        if (validation) {
          scalars.push(['validation/loss', validation.loss], ['validation/accuracy', validation.accuracy]);
          if (validation.auc !== undefined) scalars.push(['validation/auc', validation.auc]);
          const { robustAccuracy: held } = validation;
          if (held !== undefined) scalars.push(['validation/robust_accuracy', held]);
        }
        return {
          step,
          scalars: robustAccuracy === null ? scalars : [...scalars, ['test/robust_accuracy', robustAccuracy]],
        };
      }
      case 'norms': {
        const names = this.#prepared?.parameters.map((parameter) => parameter.name) ?? [];
        const scalars = names.flatMap((name, index): Scalar[] => [
          [`weight_norm/${name}`, record.weights[index] ?? Number.NaN],
          [`gradient_norm/${name}`, record.gradients[index] ?? Number.NaN],
        ]);
        return { step: record.step, scalars };
      }
      case 'updates': {
        const names = this.#prepared?.parameters.map((parameter) => parameter.name) ?? [];
        const scalars = names.map((name, index): Scalar => [
          `update_ratio/${name}`,
          (record.updates[index] ?? Number.NaN) / (record.before[index] ?? Number.NaN),
        ]);
        record.attack?.norms.forEach((norm, pass) => {
          scalars.push([`attack_gradient_norm/${String(pass + 1)}`, norm]);
        });
        return { step: record.step, scalars };
      }
      case 'watch': {
        const { step, fgsm, pgd, cosine } = record;
        return {
          step,
          scalars: [
            ['watch/fgsm_accuracy', fgsm],
            ['watch/pgd_accuracy', pgd],
            ['watch/gradient_cosine', cosine],
          ],
        };
      }
      case 'shapes':
      case 'histograms':
      case 'responses':
      case 'collapsed':
      case 'endedEarly':
      case 'checkpointed':
      case 'diverged':
      case 'evaluationStarted':
      case 'attackProgress':
      case 'evaluationFinished':
        return null;
      default:
        return record satisfies never;
    }
  }

  #write(events: readonly Uint8Array[]): void {
    const frames = Buffer.concat(events.map(frame));
    try {
      for (let written = 0; written < frames.length;) written += fs.writeSync(this.#descriptor, frames, written);
    } catch (error) {
      throw storageError(this.file, error);
    }
  }
}

/** TensorBoard reads a folder's files in the order of their names, which begin with the seconds at which they were made. */
function nextName(present: readonly string[], timeMs: number): string {
  const newest = present.reduce((latest, name) => {
    const seconds = /^events\.out\.tfevents\.(\d{10})\./.exec(name)?.[1];
    return seconds === undefined ? latest : Math.max(latest, Number(seconds));
  }, -1);
  const seconds = String(Math.max(Math.floor(timeMs / 1000), newest + 1)).padStart(10, '0');
  return `events.out.tfevents.${seconds}.${os.hostname()}.${String(process.pid)}`;
}

/** length (8 bytes) · its masked CRC · data · its masked CRC; little-endian. */
function frame(data: Uint8Array): Uint8Array {
  const result = Buffer.alloc(8 + 4 + data.length + 4);
  result.writeBigUInt64LE(BigInt(data.length), 0);
  result.writeUInt32LE(maskedCrc32c(result.subarray(0, 8)), 8);
  result.set(data, 12);
  result.writeUInt32LE(maskedCrc32c(data), 12 + data.length);
  return result;
}

// Protocol buffers: Event {wall_time: double = 1, step: int64 = 2, file_version: string = 3, summary: Summary = 5,
// session_log: SessionLog = 7}; Summary {repeated value = 1}; Value {tag: string = 1, simple_value: float = 2}.

function event(timeMs: number, step: number, content: Uint8Array): Uint8Array {
  const wallTime = Buffer.alloc(9);
  wallTime[0] = (1 << 3) | 1;
  wallTime.writeDoubleLE(timeMs / 1000, 1);
  // A zero is left out, as protocol buffers do.
  return Buffer.concat([wallTime, ...(step === 0 ? [] : [varintField(2, step)]), content]);
}

function summary(scalars: readonly Scalar[]): Uint8Array {
  return bytesField(
    5,
    scalars.map(([tag, value]) => {
      const simpleValue = Buffer.alloc(5);
      simpleValue[0] = (2 << 3) | 5;
      simpleValue.writeFloatLE(value, 1);
      return bytesField(1, [text(1, tag), simpleValue]);
    }),
  );
}

function text(field: number, value: string): Uint8Array {
  return bytesField(field, [Buffer.from(value)]);
}

function bytesField(field: number, parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  return Buffer.concat([varint((field << 3) | 2), varint(content.length), content]);
}

function varintField(field: number, value: number): Uint8Array {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
