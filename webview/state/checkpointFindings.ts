// What the checkpoint inspector says before all else: what is damaged in the file, and what of it is not shown. Text only.
import type { CheckpointContents } from '../../server/protocol/checkpoint.ts';
import { formatCount } from '../text/numbers.ts';

export interface CheckpointFinding {
  readonly tone: 'bad' | 'quiet';
  readonly heading: string;
  /** What it means, and what to do. */
  readonly text: string;
  /** Tensors that it is about, at most three. */
  readonly tensors: readonly string[];
  /** How many more it is about. */
  readonly nMore: number;
}

const maxNames = 3;

export function checkpointFindings(contents: CheckpointContents): CheckpointFinding[] {
  return [damage(contents), omittedTensors(contents), omittedCurves(contents)].filter((finding) => finding !== null);
}

/** What is left out of the metadata, where that is shown; null where nothing is. */
export function omittedMetadata({
  metadata,
  omittedMetadata: omitted = 0,
}: CheckpointContents): CheckpointFinding | null {
  if (omitted === 0) return null;
  const shown = Object.keys(metadata).length;
  return quiet(
    `${formatCount(shown)} of ${counted(shown + omitted, 'entry', 'entries')} shown`,
    'Together they are too long to show.',
  );
}

function damage({ origin, tensors }: CheckpointContents): CheckpointFinding | null {
  const damaged = tensors.filter(({ isDamaged }) => isDamaged).map(({ name }) => name);
  if (damaged.length === 0) return null;
  const isOne = damaged.length === 1;
  const what = `${isOne ? 'Its bytes are' : 'Their bytes are'} not those that were written: the disk or a copy has changed them, and ${isOne ? 'its' : 'their'} figures are of what is there now.`;
  const remedy = origin
    ? 'Kafscope neither resumes nor attacks from this checkpoint. Take an earlier one of the run, or copy the file again from where it is whole.'
    : 'Copy the file again from where it is whole.';
  return {
    tone: 'bad',
    heading: `${counted(damaged.length, 'tensor is', 'tensors are')} damaged`,
    text: `${what} ${remedy}`,
    tensors: damaged.slice(0, maxNames),
    nMore: Math.max(0, damaged.length - maxNames),
  };
}

function omittedTensors({ tensors, omittedTensors: omitted = 0 }: CheckpointContents): CheckpointFinding | null {
  if (omitted === 0) return null;
  return quiet(
    `${formatCount(tensors.length)} of ${counted(tensors.length + omitted, 'tensor', 'tensors')} shown`,
    'The others were not read: no figure here counts them, and whether they are damaged is not known. Kafscope reads the first 10,000 of a file, and passes over names of more than a thousand characters.',
  );
}

function omittedCurves({ omittedActivations: omitted = 0 }: CheckpointContents): CheckpointFinding | null {
  if (omitted === 0) return null;
  return quiet(
    `The curves of ${counted(omitted, 'tensor', 'tensors')} are not drawn`,
    'They have too many channels or kernels to draw; their values are in the table like any other’s.',
  );
}

function quiet(heading: string, text: string): CheckpointFinding {
  return { tone: 'quiet', heading, text, tensors: [], nMore: 0 };
}

function counted(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
