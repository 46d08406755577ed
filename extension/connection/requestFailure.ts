// A request that did not end in a result, whatever the reason: refused by the server, or the connection lost under it.
import { ErrorCodes, ResponseError } from 'vscode-jsonrpc/node';
import type { RequestErrorData } from '../../server/protocol/errors.ts';
import type { ExperimentIssue } from '../../server/protocol/issue.ts';

export class RequestFailure extends Error {
  override readonly name = 'RequestFailure';
  readonly method: string;
  /** One of `requestErrorCodes`, a code of JSON-RPC, or `connectionLost`. */
  readonly code: number;
  readonly isRetryable: boolean;
  readonly issues: readonly ExperimentIssue[];

  constructor(
    method: string,
    message: string,
    details: { code: number; isRetryable: boolean; issues?: readonly ExperimentIssue[]; cause?: unknown },
  ) {
    super(message, { cause: details.cause });
    this.method = method;
    this.code = details.code;
    this.isRetryable = details.isRetryable;
    this.issues = details.issues ?? [];
  }
}

/** Not a code of the wire: the server never sends it. */
export const connectionLost = -1;

export function lostConnection(method: string, cause?: unknown): RequestFailure {
  return new RequestFailure(method, `The connection to the server was lost before "${method}" was answered.`, {
    code: connectionLost,
    isRetryable: true,
    cause,
  });
}

/** What a rejected `sendRequest` means. */
export function requestFailure(method: string, error: unknown): RequestFailure {
  if (error instanceof RequestFailure) return error;
  if (error instanceof ResponseError && error.code !== ErrorCodes.PendingResponseRejected) {
    const data = error.data as Partial<RequestErrorData> | undefined;
    return new RequestFailure(method, error.message, {
      code: error.code,
      isRetryable: data?.isRetryable ?? false,
      issues: data?.issues ?? [],
      cause: error,
    });
  }
  return lostConnection(method, error);
}
