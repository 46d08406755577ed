// Styles of the picture of a network.
import { css } from 'lit';

export const networkPictureSheet = css`
  .flow {
    display: flex;
    flex-direction: column;
    align-items: stretch;
    font-size: 12px;
    min-width: 0;
  }
  .way {
    display: flex;
    flex-direction: column;
    min-width: 0;
    flex: 1 1 0;
    container-type: inline-size;
  }
  /* Of many ways side by side there is room for the names alone; the title and the table beside say the rest. */
  @container (max-width: 190px) {
    .shape {
      display: none;
    }
  }
  @container (max-width: 130px) {
    .value,
    .kind {
      display: none;
    }
    .name {
      overflow: hidden;
      text-overflow: ellipsis;
      flex: 0 1 auto;
    }
  }
  .end {
    text-align: center;
    color: var(--kaf-dim);
    padding-bottom: 2px;
  }
  .layer {
    appearance: none;
    position: relative;
    display: flex;
    gap: 0 8px;
    align-items: baseline;
    margin-top: 7px;
    padding: 3px 8px 3px 14px;
    min-width: 0;
    border: 1px solid var(--kaf-line);
    border-radius: 3px;
    background: var(--kaf-card);
    color: var(--kaf-foreground);
    font: inherit;
    text-align: left;
    cursor: pointer;
  }
  /* The way from the layer before. */
  .layer::before,
  .through::before {
    content: '';
    position: absolute;
    left: 50%;
    top: -8px;
    height: 7px;
    border-left: 1px solid var(--kaf-faint);
  }
  .layer:hover {
    background: var(--kaf-hover);
  }
  .layer[aria-selected='true'] {
    border-color: var(--kaf-focus);
    box-shadow: 0 0 0 1px var(--kaf-focus);
  }
  .paint {
    position: absolute;
    left: 0;
    top: 0;
    width: 7px;
    height: 100%;
    border-radius: 2px 0 0 2px;
  }
  .paint.bad rect {
    fill: var(--kaf-non-finite);
  }
  .name {
    font-weight: 600;
    white-space: nowrap;
    flex: none;
  }
  .kind {
    color: var(--kaf-dim);
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    flex: 1;
  }
  .shape,
  .value {
    color: var(--kaf-dim);
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
    flex: none;
  }
  .value {
    color: var(--kaf-foreground);
    min-width: 52px;
    text-align: right;
  }
  .activation,
  .dropout,
  .flatten,
  .batch-norm,
  .layer-norm,
  .group-norm {
    margin-top: 0;
    border-top-style: dotted;
    border-radius: 0 0 3px 3px;
  }
  .activation::before,
  .dropout::before,
  .flatten::before,
  .batch-norm::before,
  .layer-norm::before,
  .group-norm::before {
    display: none;
  }
  .fork {
    display: flex;
    gap: 8px;
    align-items: stretch;
    margin-top: 7px;
    padding: 0 6px 5px;
    border: 1px dashed var(--kaf-line);
    border-bottom: 0;
    border-radius: 4px 4px 0 0;
  }
  .join {
    margin-top: 0;
    border-radius: 0 0 4px 4px;
    background: color-mix(in srgb, var(--kaf-hover) 60%, var(--kaf-card));
  }
  .join::before {
    display: none;
  }
  .through {
    position: relative;
    flex: 1;
    align-self: center;
    min-height: 24px;
    border-left: 1px solid var(--kaf-faint);
    margin-top: 7px;
  }
  .way:has(> .through) {
    flex: 0 0 22px;
    align-items: center;
  }
`;
