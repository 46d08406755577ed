// The dashboard's composition root: connects the one element of the page with the extension host.
import type { FromDashboard, ToDashboard } from '../../server/protocol/panel.ts';
import { connectPanel } from '../host/panelHost.ts';
import { installVariables } from '../theme/variables.ts';
import { DashboardPanel } from './dashboardPanel.ts';
import { defaultView, type DashboardView } from './view.ts';

installVariables();
const panel = new DashboardPanel();
const host = connectPanel<ToDashboard, FromDashboard, DashboardView>({
  defaults: defaultView,
  receive: (message) => {
    panel.receive(message);
  },
});
panel.connect(host, host.saved);
document.body.append(panel);
host.post({ type: 'ready' });
