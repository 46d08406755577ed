// What a person has noted of a run: theirs, and never part of what the run did.
import { z } from 'zod';

export interface RunMark {
  /** Shown in place of its seed; absent for none. */
  readonly title?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly note?: string | undefined;
  readonly isPinned?: true | undefined;
  /** Left out of lists. */
  readonly isHidden?: true | undefined;
  /** In the trash: nothing of it is deleted, and it can be taken out again. */
  readonly isTrashed?: true | undefined;
}

export const markLimits = { title: 120, tag: 40, tags: 20, note: 4000 } as const;

/** Says nothing to a terminal, turns no text around, and stays on its line. */
function plain(text: string, { lines }: { readonly lines: boolean }): string {
  const kept = text
    .replaceAll('\r\n', '\n')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (sign) => (sign === '\n' && lines ? sign : ' '));
  return lines ? kept.trim() : kept.replace(/\s+/gu, ' ').trim();
}

const line = (most: number) =>
  z
    .string()
    .max(10_000)
    .transform((text) => plain(text, { lines: false }).slice(0, most));
const flag = z.literal(true).optional();

/** Whatever a disk or a client says of a run; what is empty is left out. */
export const runMarkSchema: z.ZodType<RunMark, unknown> = z
  .object({
    title: line(markLimits.title).optional(),
    tags: z.array(line(markLimits.tag)).max(1000).optional(),
    note: z
      .string()
      .max(100_000)
      .transform((text) => plain(text, { lines: true }).slice(0, markLimits.note))
      .optional(),
    ...{ isPinned: flag, isHidden: flag, isTrashed: flag },
  })
  .transform(({ title, tags = [], note, isPinned, isHidden, isTrashed }) => {
    const named = [...new Set(tags.filter((tag) => tag !== ''))].slice(0, markLimits.tags);
    return {
      ...(title && { title }),
      ...(named.length > 0 && { tags: named }),
      ...(note && { note }),
      ...{ ...(isPinned && { isPinned }), ...(isHidden && { isHidden }), ...(isTrashed && { isTrashed }) },
    };
  });

export function isEmptyMark(mark: RunMark): boolean {
  return Object.keys(mark).length === 0;
}
