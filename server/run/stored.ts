// What a run's folder holds, as schemas: whatever is read from a disk may be a stranger's, and passes here before it is used.
import { formulaOf, type FormulaText } from '../formula/formula.ts';
import { kafKernelNames } from '../formula/kafKernels.ts';
import { FormulaError, formulaLimits } from '../formula/parseFormula.ts';
import { z } from 'zod';
import { planSchema } from '../experiment/planSchema.ts';
import type { Plan } from '../protocol/plan.ts';
import { healthRuleNames } from '../protocol/health.ts';
import { evaluationPlanSchema } from '../protocol/evaluationSchema.ts';
import type { RunRecord } from '../protocol/records.ts';
import { runStatuses } from '../protocol/run.ts';
import type { RunSummary } from '../protocol/run.ts';
import { ownerSchema } from './owner.ts';

/** JSON and MessagePack keep every number; zod's own refuses NaN and infinities, which a run may well have measured. */
const real = z.custom<number>((value) => typeof value === 'number', 'expected a number');
const count = z.int().min(0);
const text = z.string().max(10_000);
const floats = z.instanceof(Float32Array);
const counts = z.instanceof(Int32Array);

/** No name from a disk leads out of the run's folder. */
export const checkpointFileSchema = z.string().regex(/^step-\d{1,15}\.safetensors$/);

const kafInfo = z.object({
  layer: text,
  channels: count,
  dictionary: z.array(real).max(100_000),
  gamma: real,
  base: z.enum(['none', 'swish']),
  kernelNames: z.array(z.enum(kafKernelNames)).min(1).max(16).exactOptional(),
});
const splineInfo = z.object({
  layer: text,
  channels: count,
  dictionary: z.array(real).max(100_000),
  spline: z.enum(['catmull-rom', 'b-spline']),
});
const surfaceInfo = z.object({ layer: text, channels: count, axis: z.array(real).min(2).max(1024), gamma: real });
const formulaInfo = z.object({
  layer: text,
  channels: count,
  formula: z
    .object({
      formula: z.string().max(formulaLimits.characters),
      parameters: z.array(z.string().max(32)).max(1000),
      constants: z.record(z.string(), real).exactOptional(),
      slope: z.string().max(formulaLimits.characters).exactOptional(),
    })
    .refine(isFormula, 'no formula'),
});
const bytes = z.instanceof(Uint8Array);
const tensorHistograms = z.object({ ranges: floats, bins: bytes });
const twoSpreads = z.object({ low: real, high: real, clean: bytes, attacked: bytes });
const passes = z.object({ forward: count, backward: count });
const proportion = z.object({ value: real, low: real, high: real });
const ofWeights = z.literal('average').exactOptional();

const recordSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('prepared'),
    parameters: z.array(z.object({ name: text, layer: text, shape: z.array(count).max(8) })).max(100_000),
    activations: z.array(z.union([formulaInfo, splineInfo, kafInfo, surfaceInfo])).max(100_000),
    steps: count,
    stepsPerEpoch: count,
    epochs: count,
    ends: z.object({ sampleShape: z.array(count).min(1).max(8), nClasses: count }).exactOptional(),
  }),
  z.object({ type: z.literal('step'), step: count, epoch: count, loss: real, accuracy: real, learningRate: real }),
  z.object({
    type: z.literal('norms'),
    step: count,
    weights: floats,
    gradients: floats,
    nonFiniteWeights: counts,
    nonFiniteGradients: counts,
  }),
  z.object({
    ...{ type: z.literal('updates'), step: count, before: floats, updates: floats },
    attack: z.object({ norms: floats, zeros: counts }).exactOptional(),
  }),
  z.object({
    ...{ type: z.literal('histograms'), step: count, weights: tensorHistograms, gradients: tensorHistograms },
  }),
  z.object({
    ...{ type: z.literal('responses'), step: count, samples: count, attack: text, weights: ofWeights },
    layers: z
      .array(
        z.object({
          ...{ layer: text, l2: real, relative: real, thesis: real, ks: real, outputs: twoSpreads },
          inputs: twoSpreads.exactOptional(),
        }),
      )
      .max(100_000),
  }),
  z.object({
    type: z.literal('shapes'),
    step: count,
    alphas: z.array(floats).max(100_000),
    kernels: z.array(z.object({ dictionaries: floats, gammas: floats })).optional(),
  }),
  z.object({
    type: z.literal('test'),
    step: count,
    epoch: count,
    loss: real,
    accuracy: real,
    samples: count,
    robustAccuracy: real.nullable(),
    robustSamples: count,
    auc: real.exactOptional(),
    validation: z
      .object({
        ...{ loss: real, accuracy: real, samples: count, auc: real.exactOptional() },
        ...{ robustAccuracy: real.exactOptional(), robustSamples: count.exactOptional() },
      })
      .exactOptional(),
    weights: ofWeights,
  }),
  z.object({ type: z.literal('checkpointed'), step: count, epoch: count, file: checkpointFileSchema }),
  z.object({
    ...{ type: z.literal('watch'), step: count, samples: count, of: z.enum(['validation', 'training']) },
    ...{ fgsm: real, pgd: real, cosine: real },
  }),
  z.object({
    ...{ type: z.literal('collapsed'), step: count, action: z.enum(['tell', 'stop', 'roll-back']) },
    ...{ to: count.nullable(), message: text },
  }),
  z.object({
    ...{ type: z.literal('endedEarly'), step: count, epoch: count },
    ...{ best: real, bestStep: count, message: text },
  }),
  z.object({ type: z.literal('diverged'), step: count, quantity: text, message: text }),
  z.object({
    type: z.literal('evaluationStarted'),
    evaluation: count,
    plan: evaluationPlanSchema,
    step: count,
    samples: count,
    from: count.exactOptional(),
    surrogates: z
      .array(z.object({ runId: z.string().max(255), step: count, digest: z.string().max(64) }))
      .max(100)
      .exactOptional(),
    weights: ofWeights,
  }),
  z.object({
    ...{ type: z.literal('attackProgress'), evaluation: count, restart: count, samples: count, robust: counts },
    ...{ clean: count.optional(), passes: passes.optional(), distances: floats.optional() },
    outcomes: z.instanceof(Uint8Array).exactOptional(),
    thesis: z.object({ right: counts, fooled: counts }).exactOptional(),
    detections: z
      .array(z.object({ against: text, clean: floats, attacked: floats }))
      .max(100)
      .exactOptional(),
    layers: z
      .array(z.object({ layer: text, kind: text, bound: real, product: real }))
      .max(100_000)
      .exactOptional(),
  }),
  z.object({
    type: z.literal('evaluationFinished'),
    evaluation: count,
    samples: count,
    clean: proportion,
    robust: proportion,
    thesis: proportion.exactOptional(),
    passes: passes.optional(),
    abstained: count.exactOptional(),
    audit: z
      .array(z.object({ flag: text, measured: text, means: text, next: text }))
      .max(100)
      .exactOptional(),
    isPartial: z.boolean(),
  }),
]);

/** A row as it is stored; `step` is what a resume goes by. */
export const storedRowSchema = z.object({
  seq: z.int().min(1),
  timeMs: real,
  step: count,
  record: recordSchema as unknown as z.ZodType<RunRecord>,
});
export type StoredRow = z.infer<typeof storedRowSchema>;

/** Written once, when the run is created, as `origin.json`. */
export interface RunOrigin {
  /** Of the folder that it was made in; a copy or a renamed folder keeps it and is another run all the same. */
  readonly id: string;
  readonly plan: Plan;
  readonly createdMs: number;
  /** One line for lists. */
  readonly description: string;
  /** The experiment as it was given, before defaults. */
  readonly experimentText: string;
  readonly experimentFile: string | null;
  /** Versions of Kafscope and Node that made the run. */
  readonly versions: Readonly<Record<string, string>>;
}

export const originFormat = 'kafscope run';
export const storedVersion = 1;

export const originSchema: z.ZodType<RunOrigin> = z.object({
  id: z.string().max(255),
  plan: planSchema,
  createdMs: z.number(),
  description: text,
  experimentText: z.string(),
  experimentFile: z.string().max(4096).nullable(),
  versions: z.record(z.string(), z.string()),
});

const attackUnderWay = z.object({ plan: evaluationPlanSchema, step: count, weights: ofWeights });
const attackFigure = attackUnderWay.extend({
  ...{ samples: z.int().min(1), standing: count, clean: count.optional(), thesis: count.optional() },
  ...{ isOfTest: z.literal(true).optional(), isPartial: z.literal(true).optional() },
});

/** The part of a summary that changes as the run goes on. */
export type RunProgress = Omit<
  RunSummary,
  | 'id'
  | 'folder'
  | 'name'
  | 'seed'
  | 'description'
  | 'experimentFile'
  | 'createdMs'
  | 'incarnation'
  | 'revision'
  | 'mark'
>;

const progressSchema: z.ZodType<RunProgress> = z.object({
  status: z.enum(runStatuses),
  message: text.nullable(),
  updatedMs: real,
  workedMs: real.optional(),
  step: count,
  steps: count,
  epoch: count,
  epochs: count,
  loss: real.nullable(),
  cleanAccuracy: real.nullable(),
  cleanWeights: z.literal('average').optional(),
  robustAccuracy: real.nullable(),
  figures: z.array(attackFigure).max(1000).optional(),
  attackUnderWay: attackUnderWay.optional(),
  imagesPerSecond: real.nullable(),
  device: text.nullable(),
  memory: z.object({ usedBytes: real, peakBytes: real }).nullable(),
  missing: z.literal('data').optional(),
  health: z
    .array(z.object({ rule: z.enum(healthRuleNames), step: count, evidence: text, layer: text.optional() }))
    .max(100)
    .optional(),
  checkpoints: z.array(
    z.object({ file: checkpointFileSchema, step: count, epoch: count, sizeBytes: count.optional() }),
  ),
}) as unknown as z.ZodType<RunProgress>;

export const storedStateSchema = z.object({
  progress: progressSchema,
  /** Of the last row before it; 0 before the first. */
  seq: count,
  /** Evaluations begun so far; they are numbered from 1. */
  evaluations: count,
});
export type StoredState = z.infer<typeof storedStateSchema>;

/** Which rows of earlier logs count no more: those of later steps, and of that step the tests made after its checkpoint. */
const voidsSchema = z.object({ step: z.int().min(-1), seq: count });
export type Voids = z.infer<typeof voidsSchema>;

/** Opens a log: who writes it, and what it means for the logs before it. */
export const logHeadSchema = z.object({
  format: z.literal('kafscope log'),
  version: z.int().min(1),
  number: count,
  owner: ownerSchema,
  /** `sweep` in a sweep's folder alone. */
  work: z.enum(['train', 'evaluate', 'note', 'sweep']),
  startedMs: real,
  /** Of its first row. */
  firstSeq: z.int().min(1),
  voids: voidsSchema.nullable(),
  /** Status to fall back to when an evaluation is cut off; null where the run itself is at work. */
  restStatus: z.enum(runStatuses).nullable(),
});
export type LogHead = z.infer<typeof logHeadSchema>;

export function isVoid(row: StoredRow, voids: Voids): boolean {
  if (row.step > voids.step) return true;
  return row.step === voids.step && row.record.type === 'test' && row.seq > voids.seq;
}

function isFormula(text: FormulaText): boolean {
  try {
    formulaOf(text);
    return true;
  } catch (error) {
    if (error instanceof FormulaError) return false;
    throw error;
  }
}
