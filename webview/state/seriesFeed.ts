// What a panel asks of the series of runs, and the newest answer to each question. A question is posted when it changes, and again while its
// runs grow; until an answer comes the one before is shown.
import type { SeriesAnswer, SeriesIntent } from '../../server/protocol/panel.ts';
import type { SeriesResult } from '../../server/protocol/series.ts';

export type SeriesQuestion = Omit<SeriesIntent, 'type' | 'key' | 'asked'>;

interface Asked {
  question: SeriesQuestion;
  text: string;
  /** Of the newest posting. */
  asked: number;
  isAnswered: boolean;
  result: SeriesResult | null;
}

/** Between two postings of a question whose runs grow. */
const refreshMs = 1000;

export class SeriesFeed {
  /** Of the question that failed last; null once one is answered. */
  failure: string | null = null;
  private readonly post: (intent: SeriesIntent) => void;
  private readonly byKey = new Map<string, Asked>();
  private nAsked = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(post: (intent: SeriesIntent) => void) {
    this.post = post;
  }

  /** The newest answer to what is asked by this key; null before the first. @param key begins with who asks, like `curves/` */
  want(key: string, question: SeriesQuestion): SeriesResult | null {
    const text = JSON.stringify(question);
    const before = this.byKey.get(key);
    if (before?.text === text) return before.result;
    const result = before && isOfSame(before.question, question) ? before.result : null;
    const asked: Asked = { question, text, asked: 0, isAnswered: false, result };
    this.byKey.set(key, asked);
    this.ask(key, asked);
    return result;
  }

  /** True where it changes what is shown. */
  receive(answer: SeriesAnswer): boolean {
    const asked = this.byKey.get(answer.key);
    if (asked?.asked !== answer.asked) return false;
    asked.isAnswered = true;
    this.failure = answer.failure ?? answer.result?.runs.find(({ failure }) => failure !== null)?.failure ?? null;
    if (answer.result) asked.result = answer.result;
    return true;
  }

  /** There are new rows: what is asked by keys that begin so is asked again before long, once it is answered. */
  grown(prefix: string): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      for (const [key, asked] of this.byKey) {
        if (key.startsWith(prefix) && asked.isAnswered && asked.question.to === null) this.ask(key, asked);
      }
    }, refreshMs);
  }

  /** Another run is shown. */
  forget(): void {
    this.byKey.clear();
    this.failure = null;
  }

  private ask(key: string, asked: Asked): void {
    asked.asked = ++this.nAsked;
    asked.isAnswered = false;
    this.post({ type: 'askSeries', key, asked: asked.asked, ...asked.question });
  }
}

/** An answer to another stretch, with other smoothing or with some of the runs still shows the same curves. */
function isOfSame(before: SeriesQuestion, after: SeriesQuestion): boolean {
  const isOfTags = JSON.stringify(before.tags) === JSON.stringify(after.tags);
  return isOfTags && after.runIds.some((runId) => before.runIds.includes(runId));
}
