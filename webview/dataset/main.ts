// The data set panel's composition root: connects the one element of the page with the extension host.
import type { FromDataset, ToDataset } from '../../server/protocol/panel.ts';
import { connectPanel } from '../host/panelHost.ts';
import { installVariables } from '../theme/variables.ts';
import { DatasetPanel } from './datasetPanel.ts';

installVariables();
const panel = new DatasetPanel();
const host = connectPanel<ToDataset, FromDataset, object>({
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
