// A sweep of learning rates by the command line: its lines become what the panel shows. Knows no `vscode`.
import type { RateEnds, ToLearningRate } from '../../server/protocol/panel.ts';
import { usualSweep, type Suggestion, type SweepPoint } from '../../server/protocol/learningRates.ts';
import { runCli, type CliCommand } from '../commands/cliProcess.ts';

type SweepEvent =
  | ({ readonly type: 'point' } & SweepPoint)
  | { readonly type: 'done'; readonly suggestions: readonly Suggestion[]; readonly ends: RateEnds | null };

export function beginning(name: string): ToLearningRate {
  const { steps } = usualSweep;
  return {
    ...{ name, status: 'running', message: null, steps, points: [], suggestions: [], ends: null, applied: null },
  };
}

/** Tells every change; the last one has another status than `running`. */
export async function runSweep(
  command: CliCommand,
  {
    name,
    signal,
    tell,
  }: { readonly name: string; readonly signal: AbortSignal; readonly tell: (view: ToLearningRate) => void },
): Promise<void> {
  let view = beginning(name);
  const change = (more: Partial<ToLearningRate>): void => {
    tell((view = { ...view, ...more }));
  };
  const { code, errors } = await runCli<SweepEvent>(command, {
    signal,
    onEvent: (event) => {
      if (event.type === 'point') {
        const { step, learningRate, loss, smoothed } = event;
        change({ points: [...view.points, { step, learningRate, loss, smoothed }] });
      } else {
        change({ status: 'done', suggestions: event.suggestions, ends: event.ends });
      }
    },
  });
  if (view.status === 'done') return;
  if (signal.aborted) change({ status: 'cancelled' });
  else change({ status: 'failed', message: errors || `The sweep ended with code ${String(code)}.` });
}
