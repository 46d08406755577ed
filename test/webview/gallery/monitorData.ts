// What the Monitor is told, by scene.
import type { HealthFinding } from '../../../server/protocol/health.ts';
import type { MonitoredRun, ToMonitor } from '../../../server/protocol/panel.ts';
import { makeSnapshot } from './runData.ts';

/** What the rules say of the thesis's network of 56 layers. */
export const thesisFindings: readonly HealthFinding[] = [
  { rule: 'weights-jump', step: 1, evidence: 'The norm of conv1.kernel is 5.4e+6.', layer: 'conv1' },
  {
    rule: 'exploding-gradients',
    step: 1,
    evidence:
      "The gradient's norm changes by ×1.49 a layer on the way back through 57 layers: 5.1e-2 at block27.conv2, 5.4e+8 at conv1. " +
      'In float16 at least 49 of 281 gradients would not be finite.',
    layer: 'conv1',
  },
  {
    rule: 'zero-gradients',
    step: 3,
    evidence: '57 of 281 parameters have a gradient of exactly 0, conv1.bias the first of them.',
    layer: 'conv1',
  },
];

export function monitorAnswers(scene: string): ToMonitor[] {
  const snapshot = makeSnapshot({ steps: 3120, status: 'training' });
  const monitored = (change: Partial<MonitoredRun['run']>): MonitoredRun => ({
    run: { ...snapshot.run, ...change },
    loss: snapshot.steps.loss.slice(-240),
    batchAccuracy: snapshot.steps.accuracy.slice(-240),
    accuracy: snapshot.tests.accuracy,
    robustAccuracy: snapshot.tests.robustAccuracy,
    imagesPerSecond: snapshot.steps.loss.slice(-60).map((loss) => 1100 + 60 * loss),
  });
  const connection = { status: 'connected' } as const;
  switch (scene) {
    case 'busy':
      return [
        { type: 'state', connection, runs: [monitored({ step: 3100, updatedMs: 1.78e12 - 2500 })] },
        {
          type: 'state',
          connection,
          runs: [
            monitored({}),
            {
              ...monitored({
                id: 'b',
                seed: 2,
                status: 'queued',
                step: 0,
                loss: null,
                cleanAccuracy: null,
                robustAccuracy: null,
                imagesPerSecond: null,
                device: null,
                memory: null,
              }),
              batchAccuracy: [],
            },
          ],
        },
      ];
    case 'failed':
      return [
        {
          type: 'state',
          connection,
          runs: [
            monitored({
              status: 'diverged',
              step: 1300,
              message:
                'kaf5.alpha is not finite at step 1,300: the gradient overflowed. Lower training.schedule.max and train again.',
            }),
          ],
        },
      ];
    case 'unhealthy':
      return [{ type: 'state', connection, runs: [monitored({ health: thesisFindings })] }];
    case 'waiting':
      return [{ type: 'state', connection, runs: [notBegun(monitored({ status: 'waiting' }))] }];
    case 'damaged': {
      const id = 'kaf-vgg-20261123-034501-copy';
      const run = { id, name: id, status: 'damaged', description: 'damaged', steps: 0 } as const;
      const message = `/home/ada/.kafscope/runs/${id}/origin.json is damaged: it is not JSON (Unexpected end of JSON input).`;
      return [{ type: 'state', connection, runs: [notBegun(monitored({ ...run, message }))] }];
    }
    case 'empty':
      return [{ type: 'state', connection, runs: [] }];
    case 'disconnected':
      return [
        {
          type: 'state',
          connection: { status: 'lost', message: 'the training server does not answer; trying again' },
          runs: [monitored({})],
        },
      ];
    default:
      throw new Error(`no scene ${scene}`);
  }
}

function notBegun(monitored: MonitoredRun): MonitoredRun {
  const figures = { loss: null, cleanAccuracy: null, robustAccuracy: null, imagesPerSecond: null };
  const run = { ...monitored.run, ...figures, step: 0, epoch: 0, device: null, memory: null };
  return { run, loss: [], batchAccuracy: [], accuracy: [], robustAccuracy: [], imagesPerSecond: [] };
}
