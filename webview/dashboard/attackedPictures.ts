// Attacked images as bytes and words.
import type { AttackedImages } from '../../server/protocol/attackedImages.ts';
import { formatTick } from '../text/numbers.ts';

/** Three pictures of bytes: the image, 0.5 + 10·(attacked − image), the attacked image; each cut to [0, 1]. */
export function pictureBytes({ clean, attacked, shape }: AttackedImages, row: number): Uint8Array<ArrayBuffer> {
  const size = shape.reduce((product, length) => product * length, 1);
  const bytes = new Uint8ClampedArray(3 * size); // rounds and clamps what is put in
  for (let i = 0; i < size; i++) {
    const [before, after] = [clean[row * size + i]!, attacked[row * size + i]!];
    bytes[i] = 255 * before;
    bytes[size + i] = 255 * (0.5 + 10 * (after - before));
    bytes[2 * size + i] = 255 * after;
  }
  return new Uint8Array(bytes.buffer);
}

/** `cat → dog · 4.2/255`, `cat stands`, `cat, taken for dog as it is`. */
export function imageCaption(
  { labels, predictions, classes, outcomes, distances }: AttackedImages,
  row: number,
  norm: 'linf' | 'l2',
): { readonly text: string; readonly isFooled: boolean } {
  const nameOf = (index: number) => classes[index] ?? index.toString();
  const [label, prediction] = [nameOf(labels[row]!), nameOf(predictions[row]!)];
  if (outcomes[row] === 0) return { text: `${label}, taken for ${prediction} as it is`, isFooled: false };
  const isMoved = distances[row]! > 0;
  const length =
    norm === 'linf' ? `${Number((distances[row]! * 255).toPrecision(3)).toString()}/255` : formatTick(distances[row]!);
  if (outcomes[row] === 2 && !isMoved) return { text: `${label} stands`, isFooled: false };
  return { text: `${label} → ${prediction} · ${length}`, isFooled: outcomes[row] === 1 };
}
