// <kaf-checkpoint>: what is in a `.safetensors` file: tensors with their statistics, the shapes it holds, the plan it came from.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import type { CheckpointContents, TensorContents } from '../../server/protocol/checkpoint.ts';
import type { CheckpointPlace, FromCheckpoint, ToCheckpoint } from '../../server/protocol/panel.ts';
import '../controls/face.ts';
import '../controls/segments.ts';
import { checkpointFindings, omittedMetadata, type CheckpointFinding } from '../state/checkpointFindings.ts';
import {
  groupsOf,
  shapesOf,
  shownSection,
  summarize,
  tensorRows,
  type TensorGroup,
  type TensorOrder,
  type TensorSection,
} from '../state/checkpointTable.ts';
import { formatBytes, formatCount } from '../text/numbers.ts';
import { readPalette, watchTheme, type Palette } from '../theme/palette.ts';
import { baseSheet, cardSheet, chipSheet, findingSheet, tableSheet, toolsSheet } from '../theme/sheets.ts';
import { shapesCard, statisticsCard } from './tensorCards.ts';
import './checkpointPlace.ts';
import './tensorTable.ts';

export interface CheckpointView {
  readonly section: TensorGroup | 'plan';
  readonly order: TensorOrder;
  readonly isDescending: boolean;
  readonly tensor: string | null;
}

export const defaultCheckpointView: CheckpointView = {
  section: 'model',
  order: 'file',
  isDescending: false,
  tensor: null,
};

export interface CheckpointPort {
  post(message: FromCheckpoint): void;
  save(view: CheckpointView): void;
}

@customElement('kaf-checkpoint')
export class CheckpointPanel extends LitElement {
  static override styles = [
    baseSheet,
    chipSheet,
    cardSheet,
    toolsSheet,
    tableSheet,
    findingSheet,
    css`
      :host {
        padding: 0 16px 16px;
      }
      header {
        display: flex;
        flex-wrap: wrap;
        gap: 6px 10px;
        align-items: center;
        padding: 9px 16px;
        margin: 0 -16px 12px;
        border-bottom: 1px solid var(--kaf-line);
      }
      h1 {
        font-size: 15px;
        font-weight: 600;
        overflow-wrap: anywhere;
      }
      .columns {
        grid-template-columns: minmax(0, 1.7fr) minmax(0, 1fr);
      }
      @media (max-width: 860px) {
        .columns {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      .columns.wide {
        grid-template-columns: minmax(0, 1fr);
      }
      .columns {
        align-items: start;
      }
      .side {
        position: sticky;
        top: 12px;
      }
      kaf-line-chart {
        height: 190px;
        margin-bottom: 8px;
      }
      pre {
        margin: 0;
        font-family: var(--vscode-editor-font-family, monospace);
        font-size: 12px;
        line-height: 1.5;
        overflow: auto;
        tab-size: 2;
      }
      .names {
        display: flex;
        flex-wrap: wrap;
        gap: 0 10px;
      }
      .names .link {
        overflow-wrap: anywhere;
        text-align: left;
      }
      .finding .dim {
        flex-basis: 100%;
      }
      .key {
        color: var(--kaf-link);
      }
    `,
  ];

  private port: CheckpointPort | null = null;
  @state() private palette: Palette = readPalette();
  @state() private contents: CheckpointContents | null = null;
  @state() private place: CheckpointPlace | null = null;
  @state() private failure: string | null = null;
  @state() private view: CheckpointView = defaultCheckpointView;
  @state() private filter = '';
  @state() private channel = 0;

  connect(port: CheckpointPort, view: CheckpointView): void {
    this.port = port;
    this.view = view;
    watchTheme(() => {
      this.palette = readPalette();
    });
  }

  receive(message: ToCheckpoint): void {
    switch (message.type) {
      case 'contents':
        this.contents = message.contents;
        this.failure = null;
        return;
      case 'place':
        this.place = message.place;
        return;
      case 'failed':
        this.contents = null;
        this.failure = message.message;
        return;
      default:
        message satisfies never;
    }
  }

  override render(): unknown {
    if (this.failure !== null) {
      return html`<kaf-face tone="bad" icon="error" heading="The checkpoint can’t be read" reason=${this.failure}>
        <vscode-button
          @click=${() => {
            this.port?.post({ type: 'reload' });
          }}
          >Read it again</vscode-button
        >
      </kaf-face>`;
    }
    const { contents } = this;
    if (!contents) return html`<kaf-face busy icon="loading" heading="Reading the checkpoint" reason=""></kaf-face>`;
    const section = shownSection(contents, this.view.section);
    return html`${this.renderHeader(contents)} ${this.renderPlace(contents)}
    ${checkpointFindings(contents).map((finding) => this.renderFinding(finding))} ${this.renderTools(contents, section)}
    ${section === 'plan' ? this.renderPlan(contents) : this.renderTensors(contents, section)}`;
  }

  private renderHeader(contents: CheckpointContents): unknown {
    const { parameters, values, nonFinite, dtypes } = summarize(contents);
    const { origin } = contents;
    const shown = contents.omittedTensors === undefined ? '' : ' shown';
    return html`<header>
      <h1>${contents.file.split(/[\\/]/).at(-1)}</h1>
      ${
        origin
          ? html`<span class="chip">${origin.plan.name} · seed ${origin.plan.seed}</span>
              <span class="chip">epoch ${origin.epoch} · step ${formatCount(origin.step)}</span>`
          : html`<span class="chip">not written by Kafscope</span>`
      }
      <span class="chip"
        >${origin ? `${formatCount(parameters)} parameters` : `${formatCount(values)} values`}${shown} ·
        ${formatBytes(contents.sizeBytes)} · ${dtypes.join(', ')}</span
      >
      <span class="chip ${nonFinite > 0 ? 'bad' : 'go'}"
        >${nonFinite > 0 ? `${formatCount(nonFinite)} not finite` : `all${shown} finite`}</span
      >
      <span class="grow"></span>
      ${
        origin && !this.place
          ? html`<vscode-button
              secondary
              @click=${() => {
                this.port?.post({ type: 'openRun', runId: origin.runId });
              }}
              >Open run</vscode-button
            >`
          : nothing
      }
    </header>`;
  }

  private renderPlace({ file }: CheckpointContents): unknown {
    const { place } = this;
    if (!place) return nothing;
    const name = file.split(/[\\/]/).at(-1) ?? '';
    return html`<kaf-checkpoint-place
      .place=${place}
      .file=${name}
      @checkpoint-asked=${(event: CustomEvent<{ file: string }>) => {
        this.port?.post({ type: 'show', file: event.detail.file });
      }}
      @place-asked=${({ detail: { type } }: CustomEvent<{ type: 'evaluate' | 'fork' | 'openRun' }>) => {
        const { runId } = place;
        this.port?.post(type === 'openRun' ? { type, runId } : { type, runId, file: name });
      }}
    ></kaf-checkpoint-place>`;
  }

  private renderFinding({ tone, heading, text, tensors, nMore }: CheckpointFinding): unknown {
    const links = tensors.map(
      (name) =>
        html`<button
          class="link"
          title="Show ${name}"
          @click=${() => {
            this.show(name);
          }}
        >
          ${name}
        </button>`,
    );
    return html`<div class="finding ${tone}" role=${tone === 'bad' ? 'alert' : 'status'}>
      <b>${heading}</b>
      ${links.length > 0 ? html`<span class="names">${links}${nMore > 0 ? `and ${formatCount(nMore)} more` : nothing}</span>` : nothing}
      <span class="dim">${text}</span>
    </div>`;
  }

  private renderTools(contents: CheckpointContents, section: TensorSection): unknown {
    const groups = groupsOf(contents);
    const sections = [...groups, 'plan'].map((value) => ({
      value,
      text: value === 'plan' && contents.origin === null ? 'metadata' : value,
    }));
    return html`<div class="tools">
      <vscode-textfield
        placeholder="filter tensors"
        label="Filter tensors by name"
        .value=${this.filter}
        @input=${(event: Event) => {
          this.filter = (event.target as HTMLInputElement).value;
        }}
      ></vscode-textfield>
      <kaf-segments
        label="Part of the file"
        .segments=${sections}
        .value=${section}
        @chosen=${(event: CustomEvent<{ value: CheckpointView['section'] }>) => {
          this.change({ section: event.detail.value });
        }}
      ></kaf-segments>
      <span class="grow"></span>
      <span
        >${Object.entries(contents.origin?.versions ?? {})
          .map(([name, version]) => `${name} ${version}`)
          .join(' · ')}</span
      >
    </div>`;
  }

  private renderTensors(contents: CheckpointContents, group: TensorGroup): unknown {
    const rows = tensorRows(contents, { group, filter: this.filter, ...this.view });
    const chosen =
      rows.find(({ name }) => name === this.view.tensor) ?? rows.find((row) => shapesOf(contents, row)) ?? rows[0];
    return html`<div class="columns">
      <div class="card">
        ${
          rows.length === 0
            ? html`<p class="dim">No tensor is named “${this.filter}”.</p>`
            : html`<kaf-tensor-table
                .tensors=${rows}
                .order=${this.view.order}
                .isDescending=${this.view.isDescending}
                .chosen=${chosen?.name ?? null}
                @order-chosen=${this.onOrder}
                @tensor-chosen=${(event: CustomEvent<{ name: string }>) => {
                  this.channel = 0;
                  this.change({ tensor: event.detail.name });
                }}
              ></kaf-tensor-table>`
        }
      </div>
      ${chosen ? this.renderChosen(contents, chosen) : nothing}
    </div>`;
  }

  private renderChosen(contents: CheckpointContents, tensor: TensorContents): unknown {
    const shapes = shapesOf(contents, tensor);
    const { palette } = this;
    if (!shapes) return statisticsCard(tensor, palette);
    const channel = Math.min(this.channel, shapes.channels - 1);
    const chooseChannel = (chosen: number) => {
      this.channel = chosen;
    };
    return shapesCard(tensor, shapes, { channel, chooseChannel, palette });
  }

  /** The plan as an experiment; of other programs' files the metadata. */
  private renderPlan(contents: CheckpointContents): unknown {
    const { experiment } = contents;
    const text =
      experiment ??
      Object.entries(contents.metadata)
        .map(([key, value]) => `${key}: ${value}`)
        .join('\n');
    if (text === '')
      return html`<kaf-face
        icon="note"
        heading="No metadata"
        reason="The file says nothing of its origin."
      ></kaf-face>`;
    const omitted = contents.origin ? null : omittedMetadata(contents);
    return html`${omitted ? this.renderFinding(omitted) : nothing}
      ${
        experiment === null
          ? nothing
          : html`<div class="tools">
              <vscode-button
                secondary
                data-intent="openAsExperiment"
                title="A new file with these settings; nothing is saved until you do"
                @click=${() => {
                  const { name } = contents.origin!.plan;
                  this.port?.post({ type: 'openAsExperiment', name, text: experiment });
                }}
                >Open as experiment</vscode-button
              >
              <span class="dim">Every setting that this checkpoint was trained with.</span>
            </div>`
      }
      <div class="card">
        <pre tabindex="0">
${text.split('\n').map((line) => {
            const match = /^(\s*(?:- )?)([^:]+)(:.*)$/.exec(line);
            return match ? html`${match[1]}<span class="key">${match[2]}</span>${match[3]}${'\n'}` : `${line}\n`;
          })}</pre>
      </div>`;
  }

  private show(name: string): void {
    const section = this.contents?.tensors.find((tensor) => tensor.name === name)?.group;
    if (!section) return;
    this.filter = '';
    this.channel = 0;
    this.change({ section, tensor: name });
  }

  private change(change: Partial<CheckpointView>): void {
    this.view = { ...this.view, ...change };
    this.port?.save(this.view);
  }

  /** First by size from the largest (by name from A), then the other way, then the file's own order again. */
  private readonly onOrder = (event: CustomEvent<{ order: TensorOrder }>): void => {
    const { order } = event.detail;
    const isFirstWayDown = order !== 'name';
    if (this.view.order !== order) this.change({ order, isDescending: isFirstWayDown });
    else if (this.view.isDescending === isFirstWayDown) this.change({ isDescending: !isFirstWayDown });
    else this.change({ order: 'file', isDescending: false });
  };
}
