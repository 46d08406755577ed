// Redraws at most ten times a second, in an animation frame: many messages, one picture.

const minIntervalMs = 100;

export class FrameGate {
  private readonly draw: () => void;
  private isPending = false;
  private lastMs = -Infinity;

  constructor(draw: () => void) {
    this.draw = draw;
  }

  /** Draws soon; calls until then count as one. A hidden page draws when it shows again. */
  request(): void {
    if (this.isPending) return;
    this.isPending = true;
    const waitMs = Math.max(0, this.lastMs + minIntervalMs - performance.now());
    if (waitMs > 0) setTimeout(() => requestAnimationFrame(this.run), waitMs);
    else requestAnimationFrame(this.run);
  }

  private readonly run = (): void => {
    this.isPending = false;
    this.lastMs = performance.now();
    this.draw();
  };
}
