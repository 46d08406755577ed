// A device whose memory is at an end says so in its library's words, which tell nobody what to change.
import type { AvailableMemory } from '../trainer/planMemory.ts';

/**
 * Passes on what is made; an error by which the device says that it has no memory left becomes the one that `explain` makes.
 * @param memory of the device; null where it has none of its own, and every error stays as it is
 */
export async function* sayingWhatFits<T>(
  made: AsyncGenerator<T>,
  memory: AvailableMemory | null,
  explain: (memory: AvailableMemory, cause: unknown) => Error,
): AsyncGenerator<T> {
  try {
    yield* made;
  } catch (error) {
    if (memory && error instanceof Error && /out of memory/i.test(error.message)) throw explain(memory, error);
    throw error;
  }
}
