// How wide an element is, for what is laid out anew instead of being scaled.
import type { ReactiveController, ReactiveControllerHost } from 'lit';

export class WidthWatch implements ReactiveController {
  /** CSS pixels; of a place in which it is not shown yet, a usual one. */
  width = 640;
  private readonly host: ReactiveControllerHost & HTMLElement;
  private readonly resized = new ResizeObserver(([entry]) => {
    const width = Math.round(entry?.contentRect.width ?? 0);
    if (width === 0 || width === this.width) return;
    this.width = width;
    this.host.requestUpdate();
  });

  constructor(host: ReactiveControllerHost & HTMLElement) {
    this.host = host;
    host.addController(this);
  }

  hostConnected(): void {
    this.resized.observe(this.host);
  }

  hostDisconnected(): void {
    this.resized.disconnect();
  }
}
