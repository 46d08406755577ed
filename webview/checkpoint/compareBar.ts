// <kaf-compare-bar>: which other file the shown one is compared with, and how that stands. Events: `compare-asked` {file | null} by the name
// of a checkpoint of the run, `compare-file-asked`.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { CheckpointPlace, Comparison } from '../../server/protocol/panel.ts';
import type { CheckpointDifference } from '../../server/protocol/checkpoint.ts';
import { formatCount } from '../text/numbers.ts';
import { baseSheet, selectSheet, toolsSheet } from '../theme/sheets.ts';

/** What in the list stands for no checkpoint of the run. */
const [none, another, chosenFile] = ['', '/another', '/chosen'];

@customElement('kaf-compare-bar')
export class CompareBar extends LitElement {
  static override styles = [
    baseSheet,
    toolsSheet,
    selectSheet,
    css`
      .bad {
        color: var(--kaf-alarm);
      }
    `,
  ];

  @property({ attribute: false }) place: CheckpointPlace | null = null;
  /** Name of the file that is shown. */
  @property() file = '';
  @property({ attribute: false }) comparison: Comparison | null = null;

  override render(): unknown {
    const { comparison } = this;
    const others = (this.place?.checkpoints ?? []).filter(({ file }) => file !== this.file);
    const name = comparison?.name ?? none;
    const isOfRun = others.some(({ file }) => file === name);
    return html`<div class="tools">
      <label
        >compare with
        <select data-intent="compare" @change=${this.onChange}>
          <option value=${none} ?selected=${name === none}>nothing</option>
          ${others.map(
            ({ file, step, epoch }) =>
              html`<option value=${file} ?selected=${file === name}>
                step ${formatCount(step)} · epoch ${epoch.toString()}
              </option>`,
          )}
          ${
            name !== none && !isOfRun
              ? html`<option value=${chosenFile} selected>${name.split(/[\\/]/).at(-1)}</option>`
              : nothing
          }
          <option value=${another}>a file…</option>
        </select></label
      >
      ${comparison ? renderStanding(comparison) : nothing}
    </div>`;
  }

  private readonly onChange = (event: Event): void => {
    const list = event.target as HTMLSelectElement;
    const { value } = list;
    if (value === another) {
      // Until a file is chosen, what was compared with stays.
      list.value = this.comparison?.name ?? none;
      this.dispatchEvent(new CustomEvent('compare-file-asked', { bubbles: true, composed: true }));
    } else if (value !== chosenFile) {
      const detail = { file: value === none ? null : value };
      this.dispatchEvent(new CustomEvent('compare-asked', { detail, bubbles: true, composed: true }));
    }
  };
}

function renderStanding(comparison: Comparison): unknown {
  switch (comparison.status) {
    case 'reading':
      return html`<span role="status">Reading both…</span>`;
    case 'failed':
      return html`<span class="bad" role="alert">${comparison.message}</span>`;
    case 'done':
      return html`<span role="status">${differenceText(comparison.difference)}</span>`;
    default:
      return comparison satisfies never;
  }
}

function differenceText({ tensors, unmatched }: CheckpointDifference): string {
  const changed = tensors.filter(({ l2, nonFinite }) => l2 > 0 || nonFinite > 0).length;
  const damaged = tensors.filter(({ isOtherDamaged }) => isOtherDamaged).length;
  return [
    `${formatCount(changed)} of ${formatCount(tensors.length)} tensors differ`,
    ...(unmatched > 0 ? [`${formatCount(unmatched)} not in the other, or of another shape`] : []),
    ...(damaged > 0 ? [`${formatCount(damaged)} damaged in the other`] : []),
  ].join(' · ');
}
