// The composition root of the panel that compares runs. What a person sets there the host keeps, in the workspace.
import type { FromCompare, ToCompare } from '../../server/protocol/panel.ts';
import { connectPanel } from '../host/panelHost.ts';
import { installVariables } from '../theme/variables.ts';
import { ComparePanel } from './comparePanel.ts';

installVariables();
const panel = new ComparePanel();
const host = connectPanel<ToCompare, FromCompare, object>({
  defaults: JSON.parse(document.body.dataset.compared ?? '{}') as object,
  receive: (message) => {
    panel.receive(message);
  },
});
panel.connect((message) => {
  host.post(message);
});
document.body.append(panel);
// By it the panel is brought back after a reload of the window.
host.save(host.saved);
host.post({ type: 'ready' });
