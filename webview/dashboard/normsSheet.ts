// Styles of the norms tab.
import { css } from 'lit';

export const normsSheet = css`
  .lines {
    height: 320px;
  }
  .depth {
    height: auto;
    min-height: 232px;
    flex: 1;
  }
  .filling {
    display: flex;
    flex-direction: column;
  }
  td,
  th {
    padding-inline: 3px;
    font-size: 11px;
  }
  .scrolled {
    max-height: 420px;
    overflow: auto;
  }
  .pointed,
  .facts {
    font-size: 11px;
    min-height: 16px;
    margin-top: 4px;
  }
  .pointed {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .single {
    height: 190px;
  }
  .scale {
    display: inline-block;
    width: 110px;
    height: 9px;
    border-radius: 2px;
    background: var(--scale);
  }
  .choices {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 10px;
    margin-top: 8px;
    max-height: 92px;
    overflow: auto;
    font-size: 12px;
  }
  .choices button {
    appearance: none;
    border: 0;
    background: none;
    color: var(--kaf-foreground);
    font: inherit;
    padding: 0 2px;
    cursor: pointer;
    display: inline-flex;
    align-items: center;
    gap: 5px;
  }
  .choices button[aria-pressed='false'] {
    color: var(--kaf-dim);
    text-decoration: line-through;
  }
  .dot {
    width: 8px;
    height: 8px;
    border-radius: 50%;
  }
  [aria-pressed='false'] .dot {
    opacity: 0.3;
  }
`;
