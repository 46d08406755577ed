// What a user says of their Slurm cluster. Setup lines are shell: the settings come from the user's own files alone, never from an
// experiment or a workspace.
import { z } from 'zod';

/** Options that decide what a job of ours is, and where it writes. */
const ours = [
  ...[
    'array',
    'chdir',
    'error',
    'export',
    'export-file',
    'get-user-env',
    'help',
    'input',
    'job-name',
    'kill-on-invalid-dep',
  ],
  ...[
    'no-requeue',
    'open-mode',
    'output',
    'parsable',
    'quiet',
    'requeue',
    'signal',
    'test-only',
    'usage',
    'version',
    'wait',
    'wrap',
  ],
];
const oursShort = ['a', 'D', 'e', 'h', 'i', 'J', 'o', 'Q', 'V', 'W'];

const name = z
  .string({ error: 'a text' })
  .regex(/^[^\s-][^\p{Cc}]{0,199}$/u, 'a name on one line that does not begin with "-"');

const option = z.string({ error: 'an option of sbatch, as a text' }).check((context) => {
  const found = /^(?:--([a-z][a-z0-9-]*)(?:=[^\p{Cc}]*)?|-([A-Za-z])[^\p{Cc}]*)$/u.exec(context.value);
  const [, long, short] = found ?? [];
  const isOurs =
    (long !== undefined && ours.some((one) => one.startsWith(long))) ||
    (short !== undefined && oursShort.includes(short));
  if (found && !isOurs) return;
  const message = isOurs
    ? 'an option that Kafscope does not set itself'
    : 'an option of sbatch in one piece, like --constraint=avx2';
  context.issues.push({ code: 'custom', message, input: context.value });
});

const countOf = (most: number) => {
  const error = `an integer from 1 to ${String(most)}`;
  return z.int({ error }).min(1, error).max(most, error);
};

const shape = {
  partition: name.optional(),
  account: name.optional(),
  qos: name.optional(),
  time: z
    .union([z.string(), z.int()], { error: 'a time' })
    .transform(String)
    .refine(
      (text) => /^(\d{1,5}-)?\d{1,5}(:\d{1,2}){0,2}$/.test(text),
      'a time like 90 (minutes), 12:00:00 or 2-00:00:00',
    )
    .optional(),
  cpus: countOf(1024).default(4),
  memory: z
    .union([z.string(), z.int()], { error: 'a size of memory' })
    .transform(String)
    .refine((text) => /^\d{1,9}[KMGT]?$/.test(text), 'a size of memory like 16G')
    .optional(),
  gpus: z
    .union([z.string(), z.int()], { error: 'a count of GPUs' })
    .transform(String)
    .refine(
      (text) => /^([A-Za-z][\w.-]{0,60}:)?\d{1,3}$/.test(text),
      'a count of GPUs, or their kind and count like a100:1',
    )
    .optional(),
  atOnce: countOf(1000).optional(),
  signalSeconds: z
    .int({ error: 'an integer from 30 to 3600' })
    .min(30, 'an integer from 30 to 3600')
    .max(3600, 'an integer from 30 to 3600')
    .default(120),
  setup: z
    .array(z.string({ error: 'a line of shell, as a text' }), { error: 'a list of lines of shell' })
    .max(100)
    .default([]),
  options: z.array(option, { error: 'a list of options of sbatch' }).max(100).default([]),
  computesHere: z.boolean({ error: 'true or false' }).default(false),
};

const keys = Object.keys(shape);

export const slurmSettingsSchema = z.strictObject(shape, {
  error: (issue) =>
    issue.code === 'unrecognized_keys'
      ? `one of ${keys.slice(0, -1).join(', ')} or ${String(keys.at(-1))}`
      : 'settings by their keys',
});
export type SlurmSettings = z.output<typeof slurmSettingsSchema>;
