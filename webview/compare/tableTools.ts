// What tables of the panel share: heads that sort and hide their column, and the buttons that copy.
import { html, nothing, type TemplateResult } from 'lit';
import { css } from 'lit';
import type { TableForm } from './tableText.ts';

export const sortableSheet = css`
  .scroll {
    overflow-x: auto;
    margin-bottom: 12px;
  }
  th button {
    all: unset;
    cursor: pointer;
    white-space: nowrap;
  }
  th button:focus-visible {
    outline: 1px solid var(--kaf-focus);
  }
`;

export interface SortChoice {
  readonly sortKey: string;
  readonly isDescending: boolean;
}

/** Another column is sorted as `isFirstDescending` has it, the same one the other way round. */
export function sortableHead(
  { key, title }: { readonly key: string; readonly title: string },
  sorted: SortChoice,
  {
    choose,
    hide = null,
    isFirstDescending = true,
  }: { choose: (choice: SortChoice) => void; hide?: (() => void) | null; isFirstDescending?: boolean },
): TemplateResult {
  const isSorted = sorted.sortKey === key;
  return html`<th aria-sort=${isSorted ? (sorted.isDescending ? 'descending' : 'ascending') : 'none'}>
    <button
      title="sort by ${title}"
      @click=${() => {
        choose({ sortKey: key, isDescending: isSorted ? !sorted.isDescending : isFirstDescending });
      }}
    >
      ${title}${isSorted ? (sorted.isDescending ? ' ↓' : ' ↑') : ''}
    </button>
    ${
      hide === null
        ? nothing
        : html`<button class="dim" title="hide this column" aria-label="Hide ${title}" @click=${hide}>×</button>`
    }
  </th>`;
}

/** A link that brings hidden columns back; nothing where none is. */
export function hiddenColumnsLink(count: number, show: () => void): unknown {
  if (count === 0) return nothing;
  return html`<button class="link" @click=${show}>
    show ${count.toString()} hidden ${count === 1 ? 'column' : 'columns'}
  </button>`;
}

const formNames: Readonly<Record<TableForm, string>> = { markdown: 'Markdown', latex: 'LaTeX', csv: 'CSV' };

/** Buttons that send `copy-asked` {text} from where they are. */
export function copyButtons(textOf: (form: TableForm) => string): TemplateResult {
  return html`<span class="dim">Copy as</span> ${(Object.keys(formNames) as TableForm[]).map(
      (form) =>
        html`<button
          class="link"
          @click=${(event: Event) => {
            const detail = { text: textOf(form) };
            event.currentTarget?.dispatchEvent(
              new CustomEvent('copy-asked', { detail, bubbles: true, composed: true }),
            );
          }}
        >
          ${formNames[form]}
        </button>`,
    )}`;
}
