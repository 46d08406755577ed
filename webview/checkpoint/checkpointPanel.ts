// <kaf-checkpoint>: what is in a `.safetensors` file: tensors with their statistics, the shapes it holds, the plan it came from.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import type { CheckpointContents, CheckpointDifference, KernelPictures } from '../../server/protocol/checkpoint.ts';
import type { CheckpointPlace, Comparison, FromCheckpoint, ToCheckpoint } from '../../server/protocol/panel.ts';
import '../controls/face.ts';
import '../controls/segments.ts';
import { checkpointFindings, type CheckpointFinding } from '../state/checkpointFindings.ts';
import {
  groupsOf,
  shapesOf,
  shownSection,
  summarize,
  tensorRows,
  type TensorGroup,
  type TensorOrder,
  type TensorRow,
  type TensorSection,
} from '../state/checkpointTable.ts';
import { formatBytes, formatCount } from '../text/numbers.ts';
import { readPalette, watchTheme, type Palette } from '../theme/palette.ts';
import { baseSheet, cardSheet, chipSheet, findingSheet, tableSheet, toolsSheet } from '../theme/sheets.ts';
import { shapesCard, statisticsCard } from './tensorCards.ts';
import type { PlaceIntent } from './checkpointPlace.ts';
import './checkpointPlace.ts';
import './compareBar.ts';
import { findingPart, namedFindingSheet } from './findingPart.ts';
import './kernelCard.ts';
import { planPart, planSheet } from './planPart.ts';
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
    planSheet,
    namedFindingSheet,
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
        --wide: 1.7fr;
        align-items: start;
      }
      .columns.wide {
        grid-template-columns: minmax(0, 1fr);
      }
      .side {
        position: sticky;
        top: 12px;
      }
      kaf-line-chart {
        height: 190px;
        margin-bottom: 8px;
      }
      kaf-kernel-card {
        margin-top: 12px;
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
  @state() private comparison: Comparison | null = null;
  @state() private pictures: KernelPictures | null = null;
  @state() private kernelFailure: string | null = null;
  private nReadings = 0;

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
        this.nReadings++;
        return;
      case 'compared':
        this.comparison = message.comparison;
        return;
      case 'kernel':
        this.pictures = message.pictures;
        this.kernelFailure = null;
        return;
      case 'noKernel':
        this.kernelFailure = message.message;
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
    const { place, comparison } = this;
    const name = file.split(/[\\/]/).at(-1) ?? '';
    return html`${
        place
          ? html`<kaf-checkpoint-place
              .place=${place}
              .file=${name}
              @checkpoint-asked=${(event: CustomEvent<{ file: string }>) => {
                this.port?.post({ type: 'show', file: event.detail.file });
              }}
              @place-asked=${({ detail: { type } }: CustomEvent<{ type: PlaceIntent }>) => {
                const { runId } = place;
                this.port?.post(
                  type === 'openRun' || type === 'resume' ? { type, runId } : { type, runId, file: name },
                );
              }}
            ></kaf-checkpoint-place>`
          : nothing
      }
      <kaf-compare-bar
        .place=${place}
        .file=${name}
        .comparison=${comparison}
        @compare-asked=${(event: CustomEvent<{ file: string | null }>) => {
          this.port?.post({ type: 'compare', file: event.detail.file });
          if (event.detail.file !== null) this.change({ order: 'relative', isDescending: true });
        }}
        @compare-file-asked=${() => {
          this.port?.post({ type: 'compareWithFile' });
        }}
      ></kaf-compare-bar>`;
  }

  private renderFinding(finding: CheckpointFinding): unknown {
    return findingPart(finding, (name) => {
      this.show(name);
    });
  }

  private renderPlan(contents: CheckpointContents): unknown {
    return planPart(contents, (name, text) => {
      this.port?.post({ type: 'openAsExperiment', name, text });
    });
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
    const { difference } = this;
    const rows = tensorRows(contents, { group, filter: this.filter, ...this.view }, difference);
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
                ?isCompared=${difference !== null}
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

  private renderChosen(contents: CheckpointContents, tensor: TensorRow): unknown {
    const shapes = shapesOf(contents, tensor);
    const { palette, difference } = this;
    if (!shapes) {
      return html`<div class="side">
        ${statisticsCard(tensor, palette)}
        <kaf-kernel-card
          .tensor=${tensor}
          ?isOurs=${contents.origin !== null}
          .reading=${this.nReadings}
          .pictures=${this.pictures}
          .failure=${this.kernelFailure}
          .palette=${palette}
          @kernel-asked=${({ detail }: CustomEvent<{ tensor: string; input: number; page: number }>) => {
            this.port?.post({ type: 'askKernel', ...detail });
          }}
        ></kaf-kernel-card>
      </div>`;
    }
    const channel = Math.min(this.channel, shapes.channels - 1);
    const chooseChannel = (chosen: number) => {
      this.channel = chosen;
    };
    const other = difference && shapesOf({ ...contents, activations: difference.activations }, tensor);
    return html`<div class="side">${shapesCard(tensor, shapes, { channel, chooseChannel, palette, other })}</div>`;
  }

  private show(name: string): void {
    const section = this.contents?.tensors.find((tensor) => tensor.name === name)?.group;
    if (!section) return;
    this.filter = '';
    this.channel = 0;
    this.change({ section, tensor: name });
  }

  /** From another file, once both are read. */
  private get difference(): CheckpointDifference | null {
    return this.comparison?.status === 'done' ? this.comparison.difference : null;
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
