// Lines of a norm table by the block of the network that they are in, folded into one line where a user wants it.
import type { NormLine } from './normTable.ts';

/** `block2` of `block2.conv1`; of a tensor outside of blocks its layer; null of a layer outside of blocks. */
export function blockOf({ name, layer }: Pick<NormLine, 'name' | 'layer'>): string | null {
  const dot = layer.lastIndexOf('.');
  if (dot > 0) return layer.slice(0, dot);
  return name === layer ? null : layer;
}

/** Blocks of several lines, in the network's order. */
export function blocksOf(lines: readonly NormLine[]): string[] {
  const sizes = new Map<string, number>();
  for (const line of lines) {
    const block = blockOf(line);
    if (block !== null) sizes.set(block, (sizes.get(block) ?? 0) + 1);
  }
  return [...sizes].filter(([, size]) => size > 1).map(([block]) => block);
}

/** The lines of each folded block as one, in the place of the first. */
export function foldLines(lines: readonly NormLine[], folded: ReadonlySet<string>): NormLine[] {
  const groups = new Map<string, NormLine[]>();
  for (const line of lines) {
    const block = blockOf(line);
    const key = block !== null && folded.has(block) ? `block ${block}` : `line ${line.name}`;
    groups.set(key, [...(groups.get(key) ?? []), line]);
  }
  return [...groups.values()].map((group) => {
    const [first] = group;
    const block = blockOf(first!);
    if (block === null || !folded.has(block)) return first!;
    const members = group.flatMap((line) => line.members);
    // Of tensors outside of blocks it is their layer.
    const isOfLayers = first!.layer !== block;
    return { name: block, layer: block, tensor: first!.tensor, members, ...(isOfLayers && { block }) };
  });
}
