// What runs came to, which a page asks for, by way of the server. Knows no `vscode`.
import { mostOutcomes } from '../../server/protocol/messages.ts';
import type { RunOutcome } from '../../server/protocol/outcomes.ts';
import type { OutcomesAnswer, OutcomesIntent } from '../../server/protocol/panel.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';

export async function answerOutcomes(
  connection: Pick<ServerConnection, 'request'>,
  { asked, runIds }: OutcomesIntent,
  post: (answer: OutcomesAnswer) => void,
): Promise<void> {
  try {
    const runs: RunOutcome[] = [];
    for (let first = 0; first < runIds.length; first += mostOutcomes) {
      const some = runIds.slice(first, first + mostOutcomes);
      runs.push(...(await connection.request('run/outcomes', { runIds: some })).runs);
    }
    post({ type: 'outcomes', asked, runs, failure: null });
  } catch (error) {
    post({ type: 'outcomes', asked, runs: null, failure: error instanceof Error ? error.message : String(error) });
  }
}
