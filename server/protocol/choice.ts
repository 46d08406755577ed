// By what early stopping and the best checkpoint are chosen, on the samples that a plan keeps back.

export type Criterion = 'accuracy' | 'loss' | 'robustAccuracy';

/** The larger the better; NaN where it was not measured. */
export function scoreOf(
  figures: Readonly<Record<'accuracy' | 'loss', number>> & { readonly robustAccuracy?: number },
  by: Criterion,
): number {
  const value = figures[by] ?? Number.NaN;
  return by === 'loss' ? -value : value;
}
