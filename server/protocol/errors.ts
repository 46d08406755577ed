// What a failed request says besides its sentence. Codes below -32000 are JSON-RPC's own.
import type { ExperimentIssue } from './issue.ts';

export const requestErrorCodes = {
  badExperiment: 1001,
  unknownRun: 1002,
  wrongState: 1003,
  unknownFile: 1004,
  versionMismatch: 1005,
  trainerFailed: 1006,
  storageFailed: 1007,
  cancelled: 1008,
  internal: 1099,
} as const;

export interface RequestErrorData {
  /** Whose fault: the request's, the machine's (disk, memory, device), or ours. */
  readonly fault: 'request' | 'machine' | 'kafscope';
  readonly isRetryable: boolean;
  /** For `badExperiment`. */
  readonly issues?: readonly ExperimentIssue[];
}
