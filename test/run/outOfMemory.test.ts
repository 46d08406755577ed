// What is said where a device's memory is at an end.
import { describe, expect, it } from 'vitest';
import { sayingWhatFits } from '../../server/run/outOfMemory.ts';

const memory = { what: 'the memory of cuda:0', bytes: 1e9 };
/** PyTorch's words. */
const cuda = new Error(
  'aten::mul.Tensor: it failed: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total …',
);

async function* failing(error: Error | null): AsyncGenerator<number> {
  yield await Promise.resolve(1);
  yield 2;
  if (error) throw error;
}

async function all(error: Error | null, of: typeof memory | null) {
  const made: number[] = [];
  const explain = (told: typeof memory, cause: unknown) => new Error(`smaller than ${told.bytes}`, { cause });
  try {
    for await (const one of sayingWhatFits(failing(error), of, explain)) made.push(one);
  } catch (thrown) {
    return { made, thrown: thrown as Error };
  }
  return { made, thrown: null };
}

describe('a device whose memory is at an end', () => {
  it('is explained, behind all that was made before, with its own words as the cause', async () => {
    const { made, thrown } = await all(cuda, memory);
    expect(made).toEqual([1, 2]);
    expect(thrown!.message).toBe('smaller than 1000000000');
    expect(thrown!.cause).toBe(cuda);
  });

  it('leaves other errors, those of the host and what ends well as they are', async () => {
    const other = new Error('aten::mul.Tensor: shapes differ');
    expect(await all(other, memory)).toEqual({ made: [1, 2], thrown: other });
    expect(await all(cuda, null)).toEqual({ made: [1, 2], thrown: cuda });
    expect(await all(null, memory)).toEqual({ made: [1, 2], thrown: null });
  });
});
