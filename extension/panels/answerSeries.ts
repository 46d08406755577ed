// Series that a page asks for, by way of the server. Knows no `vscode`.
import type { SeriesAnswer, SeriesIntent } from '../../server/protocol/panel.ts';
import type { SeriesResult } from '../../server/protocol/series.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';

/** As many as a server answers for at once. */
export const mostRuns = 250;

export async function answerSeries(
  connection: Pick<ServerConnection, 'request'>,
  { type: _, key, asked, runIds, tags, ...query }: SeriesIntent,
  post: (answer: SeriesAnswer) => void,
): Promise<void> {
  try {
    const runs: SeriesResult['runs'][number][] = [];
    for (let first = 0; first < runIds.length; first += mostRuns) {
      const some = runIds.slice(first, first + mostRuns);
      runs.push(...(await connection.request('run/series', { runIds: some, tags: [...tags], ...query })).runs);
    }
    post({ type: 'series', key, asked, result: { runs }, failure: null });
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    post({ type: 'series', key, asked, result: null, failure });
  }
}
