// What can't be done with a run now.

/** A run can't do what was asked of it: there is none of that name, or its status does not allow it. */
export class RunStateError extends Error {
  override readonly name = 'RunStateError';
  readonly kind: 'unknownRun' | 'wrongState' | 'unknownFile';

  constructor(kind: RunStateError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}
