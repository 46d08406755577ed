// Which runs a tree's nodes stand for. Knows no `vscode`.
import type { RunSummary } from '../../server/protocol/run.ts';

/** Of runs and of experiments with all their runs; each once. */
export function runIdsOf(nodes: readonly unknown[]): string[] {
  const ids = nodes.flatMap((node): string[] => {
    if (typeof node === 'string') return [node];
    if (typeof node !== 'object' || node === null) return [];
    if ('runs' in node && Array.isArray(node.runs)) return runIdsOf(node.runs);
    if ('run' in node) return runIdsOf([(node.run as RunSummary).id]);
    return [];
  });
  return [...new Set(ids)];
}
