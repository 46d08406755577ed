// A table handed to the page's host: `save-asked` (a `SavedFile`) or `copy-asked` {text} from where it stands.
import { html } from 'lit';
import { csvOf, jsonOf, type PictureTable } from './pictureTable.ts';

export interface SavedFile {
  readonly name: string;
  readonly content: string | Uint8Array;
}

export const tableForms = ['csv', 'json', 'copy'] as const;
export type TableForm = (typeof tableForms)[number];

export function sendTable(from: EventTarget, form: TableForm, title: string, table: PictureTable): void {
  if (form === 'copy') tell(from, 'copy-asked', { text: csvOf(table) });
  else sendFile(from, form, title, form === 'csv' ? csvOf(table) : jsonOf(title, table));
}

/** @param form of the file, its name's end */
export function sendFile(from: EventTarget, form: string, title: string, content: SavedFile['content']): void {
  tell(from, 'save-asked', { name: `${title.replace(/\W+/g, '-')}.${form}`, content });
}

/** A button a form. */
export function tableButtons(title: string, tableOf: () => PictureTable): unknown {
  return tableForms.map(
    (form) =>
      html`<button
        class="link"
        aria-label="${form === 'copy' ? 'Copy' : 'Save'} ${title} as ${form === 'copy' ? 'CSV' : form.toUpperCase()}"
        @click=${({ currentTarget }: Event) => {
          if (currentTarget) sendTable(currentTarget, form, title, tableOf());
        }}
      >
        ${form}
      </button>`,
  );
}

function tell(from: EventTarget, type: string, detail: SavedFile | { readonly text: string }): void {
  from.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
}
