// What a person reads when something failed: one sentence and what they can do. Pure; showFailure.ts shows it.
import { connectionLost, RequestFailure } from './connection/requestFailure.ts';
import { requestErrorCodes } from '../server/protocol/errors.ts';

export type FailureAction = 'Retry' | 'Restart Server' | 'Show Log';

export interface FailureMessage {
  readonly sentence: string;
  readonly actions: readonly FailureAction[];
}

/**
 * @param doing what was tried, as it follows "Could not", for example `start the run`
 * @param options.canRetry whether the caller can do it again
 */
export function failureMessage(doing: string, error: unknown, options: { canRetry: boolean }): FailureMessage {
  const reason = error instanceof Error ? error.message : String(error);
  return { sentence: `Could not ${doing}: ${finished(reason)}`, actions: actionsFor(error, options) };
}

function actionsFor(error: unknown, { canRetry }: { canRetry: boolean }): readonly FailureAction[] {
  const retry: FailureAction[] = canRetry ? ['Retry'] : [];
  if (!(error instanceof RequestFailure)) return [...retry, 'Show Log'];
  if (error.code === requestErrorCodes.versionMismatch) return ['Restart Server', 'Show Log'];
  if (error.code === connectionLost) return [...retry, 'Restart Server', 'Show Log'];
  return error.isRetryable ? [...retry, 'Show Log'] : ['Show Log'];
}

function finished(sentence: string): string {
  return /[.!?…]$/.test(sentence) ? sentence : `${sentence}.`;
}
