// <kaf-detector-card>: how well a detector tells what fools from clean images: a ROC curve and its figures for each attack.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { detectionsAt, rocOf } from '../../server/protocol/roc.ts';
import type { EvaluationView } from '../../server/protocol/snapshot.ts';
import type { Curve } from '../charts/curve.ts';
import '../charts/lineChart.ts';
import { formatCount, formatPercent, percentTick } from '../text/numbers.ts';
import { rampColor, type Palette } from '../theme/palette.ts';
import { baseSheet, cardSheet, tableSheet } from '../theme/sheets.ts';

@customElement('kaf-detector-card')
export class DetectorCard extends LitElement {
  static override styles = [
    baseSheet,
    cardSheet,
    tableSheet,
    css`
      .card {
        margin-bottom: 12px;
      }
      .parts {
        display: grid;
        grid-template-columns: minmax(0, 1.2fr) minmax(0, 1fr);
        gap: 12px;
      }
      @media (max-width: 860px) {
        .parts {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      kaf-line-chart {
        height: 300px;
      }
      .name {
        border-left: 3px solid currentColor;
        padding-left: 6px;
      }
      .scrolling {
        overflow-x: auto;
      }
    `,
  ];

  @property({ attribute: false }) view!: EvaluationView;
  @property({ attribute: false }) palette!: Palette;

  override render(): unknown {
    const { detections } = this.view;
    if (detections.length === 0) {
      return html`<div class="card">
        <h2>detector <span>it learns from training images; curves come with the first test images</span></h2>
      </div>`;
    }
    const { plan } = this.view.started;
    const share = 'falseAlarms' in plan ? plan.falseAlarms : 0.05;
    const all = detections.map(({ against, clean, attacked }, index) => ({
      against,
      nClean: clean.length,
      nAttacked: attacked.length,
      roc: rocOf(clean, attacked),
      color: rampColor(index, detections.length, this.palette.isLight),
    }));
    const chance: Curve = { name: 'chance', x: [0, 1], y: [0, 1], color: this.palette.dim, isDashed: true };
    const curves: Curve[] = all
      .filter(({ nAttacked }) => nAttacked > 0)
      .map(({ against, roc, color }) => ({
        name: against,
        x: [...roc.falseAlarms],
        y: [...roc.detections],
        color,
        width: 2,
      }));
    return html`<div class="card" role="region" aria-label="What the detector notices">
      <h2>
        what it notices
        <span>of images that fool the network, by the false alarms on clean ones; no attack knows of it</span>
      </h2>
      <div class="parts">
        <kaf-line-chart
          .curves=${[...curves, chance]}
          .extent=${{ from: 0, to: 1 }}
          .formatX=${percentTick}
          .formatY=${percentTick}
          .palette=${this.palette}
          label="Detections by false alarms, a curve for each attack"
        ></kaf-line-chart>
        <div class="scrolling">
          <table>
            <tr>
              <th>attack</th>
              <th>fooled</th>
              <th title="The chance that an image that fools scores higher than a clean one">area</th>
              <th title="At that share of false alarms">noticed at ${formatPercent(share)}</th>
            </tr>
            ${all.map(
              ({ against, nAttacked, roc, color }) =>
                html`<tr>
                  <td><span class="name" .style=${`border-color: ${color}`}>${against}</span></td>
                  <td>${formatCount(nAttacked)}</td>
                  <td>${Number.isNaN(roc.area) ? '–' : roc.area.toFixed(3)}</td>
                  <td>${nAttacked === 0 ? '–' : formatPercent(detectionsAt(roc, share))}</td>
                </tr>`,
            )}
          </table>
          ${all.some(({ nAttacked }) => nAttacked === 0) ? html`<p class="dim">An attack that fools nothing has no curve.</p>` : nothing}
        </div>
      </div>
    </div>`;
  }
}
