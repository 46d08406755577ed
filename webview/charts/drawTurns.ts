// Pictures that change draw in turns: as many in a frame as its share of time bears, the others in the next ones, so that whatever a person
// does meanwhile waits for one of them and not for all.

const shareMs = 4;

/** What each picture would draw, or make before it draws, in the order of its asking. */
const waiting = new Map<unknown, () => void>();
let isAsked = false;

/** Draws in one of the next frames; of several wishes of a picture the last one counts, at the place of the first. */
export function drawInTurn(picture: unknown, draw: () => void): void {
  waiting.set(picture, draw);
  if (!isAsked) requestAnimationFrame(drawSome);
  isAsked = true;
}

/** Draws no more what has left the page. */
export function leaveTurn(picture: unknown): void {
  waiting.delete(picture);
}

function drawSome(): void {
  const started = performance.now();
  isAsked = false;
  for (const [picture, draw] of waiting) {
    waiting.delete(picture);
    draw();
    if (performance.now() - started >= shareMs) break;
  }
  if (waiting.size === 0) return;
  requestAnimationFrame(drawSome);
  isAsked = true;
}
