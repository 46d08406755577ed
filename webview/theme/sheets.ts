// Styles that components share. Colours come from variables.ts alone.
import { css } from 'lit';

export const baseSheet = css`
  :host {
    display: block;
    box-sizing: border-box;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  [hidden] {
    display: none !important;
  }
  h1,
  h2,
  h3,
  p {
    margin: 0;
    font-weight: normal;
  }
  a,
  .link {
    color: var(--kaf-link);
    text-decoration: none;
    background: none;
    border: 0;
    padding: 0;
    font: inherit;
    cursor: pointer;
  }
  a:hover,
  .link:hover {
    text-decoration: underline;
  }
  :focus-visible {
    outline: 1px solid var(--kaf-focus);
    outline-offset: 1px;
  }
  .dim {
    color: var(--kaf-dim);
  }
  .grow {
    flex: 1;
  }
  .hidden-text {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    * {
      animation: none !important;
      transition: none !important;
    }
  }
`;

export const chipSheet = css`
  .chip {
    border: 1px solid var(--kaf-line);
    border-radius: 10px;
    padding: 0 8px;
    color: var(--kaf-dim);
    font-size: 12px;
    line-height: 18px;
    white-space: nowrap;
    max-width: 100%;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .chip.go {
    color: var(--kaf-good);
    border-color: var(--kaf-good);
  }
  .chip.wait {
    color: var(--kaf-warning);
    border-color: var(--kaf-warning);
  }
  .chip.bad {
    color: var(--kaf-alarm);
    border-color: var(--kaf-alarm);
  }
`;

/** Buttons that stand back behind what a header says. */
export const buttonSheet = css`
  .buttons {
    --vscode-button-secondaryBackground: transparent;
    --vscode-button-secondaryForeground: var(--kaf-foreground);
    --vscode-button-secondaryHoverBackground: var(--kaf-hover);
    --vscode-button-border: var(--kaf-line);
  }
`;

export const cardSheet = css`
  .grid {
    display: grid;
    gap: 12px;
    grid-template-columns: repeat(auto-fill, minmax(min(390px, 100%), 1fr));
  }
  .columns {
    display: grid;
    gap: 12px;
    margin-bottom: 12px;
    grid-template-columns: minmax(0, var(--wide, 2.4fr)) minmax(var(--narrow, 330px), 1fr);
  }
  @media (max-width: 860px) {
    .columns {
      grid-template-columns: minmax(0, 1fr);
    }
  }
  .card {
    background: var(--kaf-card);
    border: 1px solid var(--kaf-line);
    border-radius: 4px;
    padding: 7px 10px 8px;
    min-width: 0;
  }
  .card > h2 {
    display: flex;
    gap: 0 8px;
    align-items: baseline;
    font-size: 12px;
    font-weight: 600;
    margin-bottom: 3px;
    min-width: 0;
    white-space: nowrap;
  }
  .card > h2 > span {
    color: var(--kaf-dim);
    font-weight: 400;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .card > h2 > .chip {
    flex: none;
    font-weight: 400;
  }
  .card > h2 > b {
    margin-left: auto;
    font-weight: 600;
    white-space: nowrap;
    flex: none;
  }
  @media (max-width: 420px) {
    .card > h2 {
      flex-wrap: wrap;
    }
    .card > h2 > span {
      max-width: 100%;
    }
  }
  .card > h2 > b .attacked {
    color: var(--kaf-attacked);
  }
  .card > h2 > b .clean {
    color: var(--kaf-clean);
  }
`;

export const toolsSheet = css`
  .tools {
    display: flex;
    gap: 6px 14px;
    align-items: center;
    margin-bottom: 10px;
    color: var(--kaf-dim);
    flex-wrap: wrap;
    min-height: 26px;
  }
  /* Keeps its place, so that nothing moves under the pointer when it comes. */
  .reserved:disabled {
    visibility: hidden;
  }
  .tools b {
    color: var(--kaf-foreground);
    font-weight: 600;
  }
  .tools label {
    display: inline-flex;
    gap: 6px;
    align-items: center;
  }
  vscode-textfield {
    width: 190px;
    max-width: 100%;
  }
  input[type='range'] {
    appearance: none;
    height: 16px;
    background: transparent;
    margin: 0;
    cursor: pointer;
  }
  input[type='range']::-webkit-slider-runnable-track {
    height: 3px;
    border-radius: 2px;
    background: var(--kaf-track);
  }
  input[type='range']::-webkit-slider-thumb {
    appearance: none;
    width: 12px;
    height: 12px;
    margin-top: -4.5px;
    border-radius: 50%;
    border: 0;
    background: var(--kaf-accent);
  }
  .swatch {
    display: inline-block;
    width: 16px;
    height: 0;
    border-top: 2px solid currentColor;
    vertical-align: middle;
    margin-right: 5px;
  }
  .swatch.dashed {
    border-top-style: dashed;
  }
  .swatch.square {
    width: 9px;
    height: 9px;
    border: 0;
    background: currentColor;
    border-radius: 1px;
  }
  .legend {
    display: inline-flex;
    gap: 4px 14px;
    flex-wrap: wrap;
    font-size: 12px;
  }
  .clean-mark {
    color: var(--kaf-clean);
  }
  .attacked-mark {
    color: var(--kaf-attacked);
  }
  .now-mark {
    color: var(--kaf-foreground);
  }
  .start-mark {
    color: var(--kaf-faint);
  }
  .slope-mark {
    color: var(--kaf-slope);
  }
  .rate-mark {
    color: var(--kaf-rate);
  }
  .non-finite-mark {
    color: var(--kaf-non-finite);
  }
`;

/** A grid of cards whose charts share what height the panel has left; no chart is lower than it can be read, nor higher than wide. */
export const fillingSheet = css`
  .grid.filling {
    flex: 1;
    grid-template-columns: repeat(auto-fit, minmax(min(390px, 100%), 1fr));
    grid-auto-rows: minmax(211px, 1fr);
  }
  .grid.filling > .card {
    display: flex;
    flex-direction: column;
  }
  .grid.filling kaf-line-chart {
    flex: 1;
    min-height: 176px;
    max-height: 460px;
  }
`;

export const selectSheet = css`
  select {
    font: inherit;
    color: var(--kaf-foreground);
    background: var(--kaf-background);
    border: 1px solid var(--kaf-line);
    max-width: 240px;
  }
`;

export const tableSheet = css`
  table {
    border-collapse: collapse;
    width: 100%;
    font-size: 12px;
  }
  td,
  th {
    padding: 3px 8px;
    text-align: right;
    font-weight: 400;
    border-bottom: 1px solid color-mix(in srgb, var(--kaf-line) 70%, transparent);
    white-space: nowrap;
  }
  tr:last-child > td {
    border-bottom-color: transparent;
  }
  th {
    color: var(--kaf-dim);
    font-size: 11px;
  }
  td:first-child,
  th:first-child {
    text-align: left;
    padding-left: 2px;
  }
  td:last-child,
  th:last-child {
    padding-right: 2px;
  }
`;

export const findingSheet = css`
  .finding {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 10px;
    align-items: center;
    border-left: 3px solid var(--kaf-warning);
    background: var(--kaf-hover);
    padding: 6px 10px;
    margin-bottom: 10px;
    border-radius: 0 3px 3px 0;
  }
  .finding.bad {
    border-color: var(--kaf-alarm);
  }
  .finding.quiet {
    border-color: var(--kaf-faint);
  }
  .finding b {
    font-weight: 600;
  }
`;
