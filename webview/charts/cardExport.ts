// What is seen in a card, as a file or for the clipboard: its picture, or the points that are drawn. The extension host saves and copies.
import { html, type TemplateResult } from 'lit';
import { csvText } from '../text/csv.ts';
import type { Curve } from './curve.ts';
import type { LineChart } from './lineChart.ts';

export type ExportForm = 'png' | 'svg' | 'csv' | 'json' | 'copy';

export interface ExportedCard {
  readonly title: string;
  /** Of x. */
  readonly axis: string;
  readonly curves: readonly Curve[];
}

export interface SavedFile {
  readonly name: string;
  readonly content: string | Uint8Array;
}

const forms = ['png', 'svg', 'csv', 'json', 'copy'] as const;

/** Buttons that send `save-asked` (a `SavedFile`) or `copy-asked` {text} from the card that they are in. */
export function exportButtons(card: ExportedCard): TemplateResult {
  return html`<span class="exports">
    ${forms.map(
      (form) =>
        html`<button
          class="link"
          aria-label="${form === 'copy' ? 'Copy' : 'Save'} ${card.title} as ${form === 'copy' ? 'CSV' : form.toUpperCase()}"
          @click=${(event: Event) => {
            void send(event.currentTarget as HTMLElement, card, form);
          }}
        >
          ${form}
        </button>`,
    )}
  </span>`;
}

async function send(button: HTMLElement, card: ExportedCard, form: ExportForm): Promise<void> {
  const tell = (type: string, detail: SavedFile | { readonly text: string }): void => {
    button.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  };
  const chart = button.closest('.card')?.querySelector<LineChart>('kaf-line-chart');
  const name = `${card.title.replace(/\W+/g, '-')}.${form}`;
  switch (form) {
    case 'copy':
      tell('copy-asked', { text: csvOf(card) });
      return;
    case 'csv':
      tell('save-asked', { name, content: csvOf(card) });
      return;
    case 'json':
      tell('save-asked', { name, content: jsonOf(card) });
      return;
    case 'png':
    case 'svg': {
      const content = form === 'png' ? await chart?.asPng() : chart?.asSvg(card.title);
      if (content) tell('save-asked', { name, content });
      return;
    }
    default:
      form satisfies never;
  }
}

/** A row a point: its curve, x and y. */
export function csvOf({ title, axis, curves }: ExportedCard): string {
  return [['curve', axis, title], ...pointsOf(curves).map(({ curve, x, y }) => [curve, String(x), String(y)])]
    .map((cells) => `${cells.map(csvText).join(',')}\r\n`)
    .join('');
}

/** What is not finite is a text, of which JSON has no number. */
export function jsonOf({ title, axis, curves }: ExportedCard): string {
  const points = pointsOf(curves).map(({ curve, x, y }) => ({
    curve,
    [axis]: x,
    value: Number.isFinite(y) ? y : String(y),
  }));
  return JSON.stringify({ title, points }, null, 1);
}

function pointsOf(curves: readonly Curve[]): { curve: string; x: number; y: number }[] {
  return curves.flatMap(({ name, x, y }) =>
    Array.from({ length: x.length }, (_, index) => ({ curve: name, x: x[index]!, y: y[index]! })),
  );
}
