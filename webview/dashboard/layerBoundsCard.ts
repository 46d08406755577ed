// <kaf-layer-bounds>: by how much each layer can lengthen a difference at most, and all up to it; it grows while they are looked at.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { LayerBound } from '../../server/protocol/records.ts';
import { formatNumber } from '../text/numbers.ts';
import { baseSheet, cardSheet, tableSheet } from '../theme/sheets.ts';

@customElement('kaf-layer-bounds')
export class LayerBounds extends LitElement {
  static override styles = [
    baseSheet,
    cardSheet,
    tableSheet,
    css`
      .card {
        margin-bottom: 12px;
      }
      .scrolling {
        max-height: 320px;
        overflow: auto;
      }
      .bar {
        display: block;
        height: 8px;
        min-width: 1px;
        background: var(--kaf-good);
      }
      td.shares {
        width: 40%;
        text-align: left;
      }
    `,
  ];

  @property({ attribute: false }) layers: readonly LayerBound[] = [];

  override render(): unknown {
    const whole = this.layers.at(-1)?.product;
    if (whole === undefined) return nothing;
    const shares = this.layers.map(({ bound }) => Math.max(0, Math.log(bound)));
    const most = Math.max(1e-9, ...shares.filter((share) => share < Infinity));
    return html`<div class="card" role="region" aria-label="Lipschitz bound by layer">
      <h2>Lipschitz bound by layer <span>under L2, at most</span><b>${boundText(whole)}</b></h2>
      <div class="scrolling" tabindex="0">
        <table>
          <tr>
            <th>layer</th>
            <th>bound</th>
            <th>up to here</th>
            <th class="shares">its share, logarithmic</th>
          </tr>
          ${this.layers.map(({ layer, kind, bound, product }, index) => {
            const share = Math.min(1, shares[index]! / most);
            return html`<tr title=${kind}>
              <td>${layer}</td>
              <td>${boundText(bound)}</td>
              <td class="dim">${boundText(product)}</td>
              <td class="shares"><span class="bar" .style=${`width: ${(100 * share).toFixed(1)}%`}></span></td>
            </tr>`;
          })}
        </table>
      </div>
    </div>`;
  }
}

function boundText(value: number): string {
  if (value === Infinity) return '∞: it jumps';
  return value < 1e5 ? formatNumber(Number(value.toPrecision(4)), 4) : value.toExponential(2);
}
