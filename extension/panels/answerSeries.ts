// Series that a page asks for, by way of the server. Knows no `vscode`.
import type { SeriesAnswer, SeriesIntent } from '../../server/protocol/panel.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';

export async function answerSeries(
  connection: Pick<ServerConnection, 'request'>,
  { type: _, key, asked, runIds, tags, ...query }: SeriesIntent,
  post: (answer: SeriesAnswer) => void,
): Promise<void> {
  try {
    const result = await connection.request('run/series', { runIds: [...runIds], tags: [...tags], ...query });
    post({ type: 'series', key, asked, result, failure: null });
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    post({ type: 'series', key, asked, result: null, failure });
  }
}
