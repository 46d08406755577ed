// The one door between a panel and the extension host: typed messages both ways and the little state that survives hiding.
import { decode } from '../../server/protocol/codec.ts';
import type { Encoded } from '../../server/protocol/panel.ts';

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

export interface PanelHost<Outgoing, Saved extends object> {
  post(message: Outgoing): void;
  /** What `save` kept last, laid over the defaults given to `connectPanel`. */
  readonly saved: Saved;
  save(state: Saved): void;
}

/**
 * Connects once per page; `receive` sees each message of the host. The panel itself says `ready` when it can show something.
 * Messages come from the extension host alone (a webview has no other sender), so their types are trusted here.
 */
export function connectPanel<Incoming, Outgoing, Saved extends object>(options: {
  defaults: Saved;
  receive(message: Incoming): void;
}): PanelHost<Outgoing, Saved> {
  const api = acquireVsCodeApi();
  const kept = api.getState();
  // What any chart of any panel hands over (charts/picture.ts).
  document.addEventListener('save-asked', (event) => {
    api.postMessage({ type: 'saveFile', ...(event as CustomEvent<object>).detail });
  });
  document.addEventListener('copy-asked', (event) => {
    api.postMessage({ type: 'copy', ...(event as CustomEvent<object>).detail });
  });
  addEventListener('message', (event: MessageEvent<Encoded>) => {
    options.receive(decode(event.data.bytes) as Incoming);
  });
  return {
    post: (message) => {
      api.postMessage(message);
    },
    saved: typeof kept === 'object' && kept !== null ? { ...options.defaults, ...kept } : options.defaults,
    save: (state) => {
      api.setState(state);
    },
  };
}
