// What a file says of itself: the plan as an experiment; of other programs' files the metadata.
import { css, html, nothing } from 'lit';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import type { CheckpointContents } from '../../server/protocol/checkpoint.ts';
import '../controls/face.ts';
import { omittedMetadata } from '../state/checkpointFindings.ts';
import { findingPart } from './findingPart.ts';

export const planSheet = css`
  pre {
    margin: 0;
    font-family: var(--vscode-editor-font-family, monospace);
    font-size: 12px;
    line-height: 1.5;
    overflow: auto;
    tab-size: 2;
  }
  .key {
    color: var(--kaf-link);
  }
`;

export function planPart(
  contents: CheckpointContents,
  openAsExperiment: (name: string, text: string) => void,
): unknown {
  const { experiment } = contents;
  const text =
    experiment ??
    Object.entries(contents.metadata)
      .map(([key, value]) => `${key}: ${value}`)
      .join('\n');
  if (text === '')
    return html`<kaf-face icon="note" heading="No metadata" reason="The file says nothing of its origin."></kaf-face>`;
  const omitted = contents.origin ? null : omittedMetadata(contents);
  return html`${omitted ? findingPart(omitted, () => undefined) : nothing}
    ${
      experiment === null
        ? nothing
        : html`<div class="tools">
            <vscode-button
              secondary
              data-intent="openAsExperiment"
              title="A new file with these settings; nothing is saved until you do"
              @click=${() => {
                openAsExperiment(contents.origin!.plan.name, experiment);
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
