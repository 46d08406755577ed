// <kaf-pareto-chart>: points of two figures of which more is better, and the front of those that no other beats in both.
import { css, html, svg } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { LegendEntry } from '../charts/pictureHead.ts';
import type { PictureTable } from '../charts/pictureTable.ts';
import { SvgChart, svgChartSheet } from '../charts/svgChart.ts';
import { linearTicks } from '../curves/ticks.ts';
import { formatTick } from '../text/numbers.ts';
import { paretoFront } from './compareTable.ts';

export interface ParetoPoint {
  readonly name: string;
  readonly color: string;
  readonly x: number;
  readonly y: number;
}

const margin = { left: 44, right: 20, top: 16, bottom: 34 };

@customElement('kaf-pareto-chart')
export class ParetoChart extends SvgChart {
  static override styles = [
    ...svgChartSheet,
    css`
      .grid {
        stroke: var(--kaf-grid);
      }
      .front {
        fill: none;
        stroke: var(--kaf-foreground);
        stroke-dasharray: 4 3;
      }
    `,
  ];

  @property({ attribute: false }) points: readonly ParetoPoint[] = [];
  protected readonly height = 300;

  override asTable(): PictureTable {
    const { seen } = this;
    const front = new Set(paretoFront(seen));
    return {
      columns: ['name', 'clean, %', 'robust, %', 'front'],
      rows: seen.map(({ name, x, y }, index) => [name, x, y, front.has(index) ? 'yes' : 'no']),
    };
  }

  protected override legend(): readonly LegendEntry[] {
    return this.seen;
  }

  private get seen(): readonly ParetoPoint[] {
    return this.points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
  }

  override render(): unknown {
    const { seen: points, height } = this;
    if (points.length === 0) return html`<p>No row has both figures yet.</p>`;
    const { width } = this.watch;
    const x = scaleOf(
      points.map((point) => point.x),
      margin.left,
      width - margin.right,
    );
    const y = scaleOf(
      points.map((point) => point.y),
      height - margin.bottom,
      margin.top,
    );
    const front = paretoFront(points)
      .map((index) => points[index]!)
      .sort((a, b) => a.x - b.x);
    const path = front
      .map((point, index) => `${index === 0 ? 'M' : 'L'}${at(x.to(point.x))} ${at(y.to(point.y))}`)
      .join('');
    const said = points.map((point) => `${point.name}: clean ${point.x.toFixed(1)}, robust ${point.y.toFixed(1)}`);
    const marks = svg`
      ${x.ticks.map(
        (
          tick,
        ) => svg`<line class="grid" x1=${at(x.to(tick))} x2=${at(x.to(tick))} y1=${margin.top} y2=${height - margin.bottom}></line>
          <text x=${at(x.to(tick))} y=${height - margin.bottom + 15} text-anchor="middle">${formatTick(tick)}</text>`,
      )}
      ${y.ticks.map(
        (
          tick,
        ) => svg`<line class="grid" y1=${at(y.to(tick))} y2=${at(y.to(tick))} x1=${margin.left} x2=${width - margin.right}></line>
          <text x=${margin.left - 6} y=${at(y.to(tick) + 4)} text-anchor="end">${formatTick(tick)}</text>`,
      )}
      <text x=${(width - margin.right + margin.left) / 2} y=${height - 4} text-anchor="middle">clean, %</text>
      <text x=${margin.left} y=${margin.top - 2}>robust, %</text>
      <path class="front" d=${path}></path>
      ${points.map(
        (point) => svg`<circle cx=${at(x.to(point.x))} cy=${at(y.to(point.y))} r="4.5" fill=${point.color}>
            <title>${point.name}: clean ${point.x.toFixed(1)} %, robust ${point.y.toFixed(1)} %</title>
          </circle>
          ${front.includes(point) ? nameOf(point, { left: x.to(point.x), top: y.to(point.y), width }) : ''}`,
      )}`;
    return this.renderChart(marks, said.join('; '), 'img');
  }
}

/** Beside its point, on the side that has the room. */
function nameOf({ name }: ParetoPoint, { left, top, width }: { left: number; top: number; width: number }): unknown {
  const isRight = left + 8 + name.length * letterPixels < width || left < width / 2;
  return svg`<text class="name" x=${at(left + (isRight ? 8 : -8))} y=${at(top + 4)} text-anchor=${isRight ? 'start' : 'end'}>${name}</text>`;
}

/** Of the font, about. */
const letterPixels = 6.2;

function at(place: number): string {
  return place.toFixed(1);
}

function scaleOf(
  values: readonly number[],
  start: number,
  end: number,
): { to(value: number): number; ticks: number[] } {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const air = (high - low) * 0.12 || Math.max(1, Math.abs(high) * 0.05);
  const [from, to] = [low - air, high + air];
  return { to: (value) => start + ((value - from) / (to - from)) * (end - start), ticks: linearTicks(from, to, 5) };
}
