// What the dashboard says while it has no server, or nothing from it yet.
import { html, nothing } from 'lit';
import { isLive } from '../../server/protocol/run.ts';
import '../controls/face.ts';
import type { DashboardState } from '../state/dashboardState.ts';
import { formatCount } from '../text/numbers.ts';

/** Before there is anything to show. */
export function loadingFace({ connection, reading }: DashboardState): unknown {
  switch (connection.status) {
    case 'starting':
      return html`<kaf-face
        icon="loading"
        busy
        heading="Starting the training server"
        reason="This takes a second or two."
      ></kaf-face>`;
    case 'connected':
      return html`<kaf-face icon="loading" busy heading="Opening the run" reason=${readingText(reading)}></kaf-face>`;
    case 'lost':
    case 'stopped':
      return html`<kaf-face
        tone="bad"
        icon="debug-disconnect"
        heading="Not connected with the training server"
        reason=${connection.status === 'lost' ? connection.message : 'The server has stopped. Start any run, or reload the window, to start it again.'}
      ></kaf-face>`;
    default:
      return connection satisfies never;
  }
}

/** Above a run that is shown as it was last heard of. */
export function connectionNote({ connection, snapshot }: DashboardState): unknown {
  if (connection.status === 'connected') return nothing;
  const isAtWork = snapshot !== null && isLive(snapshot.run.status);
  const upTo = `What you see is the run up to step ${formatCount(snapshot?.run.step ?? 0)}.`;
  switch (connection.status) {
    case 'starting':
      return html`<div class="finding quiet" role="status">
        <b>Connecting with the training server…</b><span class="dim">${upTo}</span>
      </div>`;
    case 'lost':
      return html`<div class="finding" role="alert">
        <b>Connection lost: ${connection.message}</b
        ><span class="dim">${isAtWork ? 'The run goes on without this window. ' : ''}${upTo}</span>
      </div>`;
    case 'stopped':
      return html`<div class="finding" role="alert">
        <b>The training server has stopped.</b><span class="dim">${upTo}</span>
      </div>`;
    default:
      return connection.status satisfies never;
  }
}

function readingText(share: number | null): string {
  if (share === null) return 'Reading its records.';
  return `Reading its records, once: ${Math.floor(share * 100).toString()} %.`;
}
