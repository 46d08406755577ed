// Where the kernels' own constants lie: in the first bytes of the shared memory, written by every thread's instance alike.

/** The first address beyond them. */
export function constantsEnd(): usize {
  return __heap_base;
}
