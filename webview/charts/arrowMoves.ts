// Where the arrow keys lead on a chart of rows and columns.

/** By key: rows down and columns to the right. */
export const arrowMoves: Readonly<Record<string, readonly [down: number, right: number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};
