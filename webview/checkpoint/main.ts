// The inspector's composition root: connects the one element of the page with the extension host.
import type { FromCheckpoint, ToCheckpoint } from '../../server/protocol/panel.ts';
import { connectPanel } from '../host/panelHost.ts';
import { installVariables } from '../theme/variables.ts';
import { CheckpointPanel, defaultCheckpointView, type CheckpointView } from './checkpointPanel.ts';

installVariables();
const panel = new CheckpointPanel();
const host = connectPanel<ToCheckpoint, FromCheckpoint, CheckpointView>({
  defaults: defaultCheckpointView,
  receive: (message) => {
    panel.receive(message);
  },
});
panel.connect(host, host.saved);
document.body.append(panel);
host.post({ type: 'ready' });
