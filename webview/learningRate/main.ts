// The composition root of the panel that finds a learning rate: connects the one element of the page with the extension host.
import type { FromLearningRate, ToLearningRate } from '../../server/protocol/panel.ts';
import { connectPanel } from '../host/panelHost.ts';
import { installVariables } from '../theme/variables.ts';
import { LearningRatePanel } from './learningRatePanel.ts';

installVariables();
const panel = new LearningRatePanel();
const host = connectPanel<ToLearningRate, FromLearningRate, object>({
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
