// The sizes of a KAF's tables of cubics (kaf.ts). Exports no kernel.

/** Bytes of a piece. */
export const PIECE: usize = 16;
/** Channels of one call of the gradient: a cache line of a row. */
export const CHANNELS: i32 = 16;
