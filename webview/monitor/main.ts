// The monitor's composition root: connects the one element of the sidebar's page with the extension host.
import type { FromMonitor, ToMonitor } from '../../server/protocol/panel.ts';
import { connectPanel } from '../host/panelHost.ts';
import { installVariables } from '../theme/variables.ts';
import { MonitorPanel } from './monitorPanel.ts';

installVariables();
document.body.classList.add('sidebar');
const panel = new MonitorPanel();
const host = connectPanel<ToMonitor, FromMonitor, object>({
  defaults: {},
  receive: (message) => {
    panel.receive(message);
  },
});
panel.connect((message) => {
  host.post(message);
});
document.body.append(panel);
host.post({ type: 'ready' });
