// One channel's function large, now beside the start, with what can be said of both.
import { html, nothing } from 'lit';
import { gridFor } from '../../server/formula/shape.ts';
import type { ShapeInfo, SurfaceInfo } from '../../server/protocol/records.ts';
import '../charts/lineChart.ts';
import { commonRange, rangeWithout } from '../charts/commonRange.ts';
import '../charts/surfaceMap.ts';
import { surfaceRow } from '../kaf/drawing.ts';
import {
  dotsOf,
  gridOfChannel,
  layerOfChannel,
  lipschitzEstimate,
  rowOf,
  shapeDistance,
  type ShapeCoefficients,
} from '../kaf/shape.ts';
import { steepestSlope, surfaceDistance, surfaceInputs, surfaceValues } from '../kaf/surface.ts';
import { equationText, layerText, placesName } from '../text/layerText.ts';
import { formatNumber } from '../text/numbers.ts';
import type { ChannelDensity } from '../kaf/densities.ts';
import type { Palette } from '../theme/palette.ts';

export interface ShapeCardOptions {
  readonly channel: number;
  readonly start: ShapeCoefficients;
  readonly now: ShapeCoefficients;
  /** What heads them: `now`, or of which step they are. */
  readonly nowText: string;
  /** Of its inputs; null where none is recorded. */
  readonly density: ChannelDensity | null;
  readonly palette: Palette;
}

export function shapeCard(info: ShapeInfo, options: ShapeCardOptions): unknown {
  return 'axis' in info ? surfaceCard(info, options) : curveCard(info, options);
}

function curveCard(
  info: Exclude<ShapeInfo, SurfaceInfo>,
  { channel, start, now, nowText, density, palette }: ShapeCardOptions,
): unknown {
  const shared = gridFor(info, { points: 321, margin: 1 });
  const startGrid = gridOfChannel(shared, info, start, channel);
  const grid = gridOfChannel(shared, info, now, channel);
  const [rowBefore, row] = [rowOf(info, start.alpha, channel), rowOf(info, now.alpha, channel)];
  const [before, after, slope] = [startGrid.values(rowBefore), grid.values(row), grid.slopes(row)];
  const layer = layerOfChannel(info, now, channel);
  const dots = dotsOf(layer, row);
  const drift = shapeDistance(grid.x, after, before);
  const lipschitz = lipschitzEstimate(slope);
  const curves = [
    { name: 'derivative', x: grid.x, y: slope, color: palette.slope, isDashed: true, width: 1.2 },
    { name: 'at start', x: grid.x, y: before, color: palette.faint, width: 1.4 },
    { name: nowText, x: grid.x, y: after, color: palette.foreground, width: 2 },
    ...(dots ? [{ name: placesName(layer), ...dots, color: palette.foreground, hasDots: true, hasNoLine: true }] : []),
  ];
  const names = 'formula' in info ? info.formula.parameters.slice(0, mostParameters) : [];
  return html`<div class="card large">
    <h2>
      ${info.layer} · channel ${channel}
      <span title=${equationText(info)}>${equationText(info)}</span>
    </h2>
    <kaf-line-chart
      .curves=${curves}
      .fixedY=${rangeWithout(slope, [before, after])}
      .palette=${palette}
      label="Channel ${channel.toString()} of ${info.layer}: drift ${formatNumber(drift, 3)}, largest slope ${formatNumber(
        lipschitz,
        3,
      )}"
    ></kaf-line-chart>
    ${density ? densityChart(info.layer, channel, density, palette) : nothing}
    <table>
      ${comparedRows(nowText, {
        steepest: ['Lipschitz, max |f′|', lipschitzEstimate(startGrid.slopes(rowBefore)), lipschitz],
        ranges: [rangeText(before), rangeText(after)],
        drift,
      })}
      ${
        names.length > 0
          ? names.map(
              (name, p) =>
                html`<tr title="A trained parameter of this channel's formula">
                  <td>${name}</td>
                  <td class="dim">${formatNumber(rowBefore[p] ?? NaN, 3)}</td>
                  <td>${formatNumber(row[p] ?? NaN, 3)}</td>
                </tr>`,
            )
          : placesRow(placesName(layer), layerText(layer))
      }
    </table>
  </div>`;
}

/** Beneath the curve, over the same inputs. */
function densityChart(layer: string, channel: number, density: ChannelDensity, palette: Palette): unknown {
  const { x, clean, attacked, range, shift } = density;
  const curves = [
    { name: 'inputs', x, y: clean, color: palette.clean, width: 1.4 },
    { name: 'attacked inputs', x, y: attacked, color: palette.attacked, isDashed: true, width: 1.4 },
  ];
  return html`<kaf-line-chart
    class="density"
    .curves=${curves}
    .fixedY=${{ from: 0, to: 1.05 }}
    .extent=${range}
    .palette=${palette}
    label="Density of the inputs of channel ${channel.toString()} of ${layer}, clean and attacked; they are ${formatNumber(
      shift,
      3,
    )} apart"
  ></kaf-line-chart>`;
}

/** As many as a table takes. */
const mostParameters = 10;

function surfaceCard(info: SurfaceInfo, { channel, start, now, nowText, palette }: ShapeCardOptions): unknown {
  const x = surfaceInputs(info, { points: 81, margin: 1 });
  const [rowBefore, row] = [surfaceRow(info, start.alpha, channel), surfaceRow(info, now.alpha, channel)];
  const [before, after] = [surfaceValues(info, x, rowBefore), surfaceValues(info, x, row)];
  const range = commonRange([before, after]);
  const map = (caption: string, values: Float64Array) =>
    html`<figure>
      <figcaption class="dim">${caption}</figcaption>
      <kaf-surface-map
        .values=${values}
        .x=${x}
        .range=${range}
        .palette=${palette}
        label="Pair ${channel.toString()} of ${info.layer}, ${caption}: ${rangeText(values)}"
      ></kaf-surface-map>
    </figure>`;
  return html`<div class="card large">
    <h2>
      ${info.layer} · pair ${channel}
      <span title=${equationText(info)}>${equationText(info)}</span>
    </h2>
    <div class="maps">${map('at start', before)}${map(nowText, after)}</div>
    <table>
      ${comparedRows(nowText, {
        steepest: ['Lipschitz, max |∇f|', steepestSlope(info, x, rowBefore), steepestSlope(info, x, row)],
        ranges: [rangeText(before), rangeText(after)],
        drift: surfaceDistance(x, after, before),
      })}
      ${placesRow('dictionary', layerText(info))}
    </table>
  </div>`;
}

interface Compared {
  readonly steepest: readonly [name: string, before: number, now: number];
  readonly ranges: readonly [before: string, now: string];
  readonly drift: number;
}

function comparedRows(nowText: string, { steepest: [name, slopeBefore, slopeNow], ranges, drift }: Compared): unknown {
  return html`<tr>
      <th></th>
      <th>at start</th>
      <th>${nowText}</th>
    </tr>
    <tr title="The largest on the grid: an estimate of the Lipschitz constant">
      <td>${name}</td>
      <td class="dim">${formatNumber(slopeBefore, 3)}</td>
      <td>${formatNumber(slopeNow, 3)}</td>
    </tr>
    <tr>
      <td>range of f</td>
      <td class="dim">${ranges[0]}</td>
      <td>${ranges[1]}</td>
    </tr>
    <tr title="‖f − f at start‖₂ over what is shown">
      <td>drift from the start</td>
      <td class="dim">0</td>
      <td>${formatNumber(drift, 3)}</td>
    </tr>`;
}

function placesRow(name: string, text: string): unknown {
  return html`<tr>
    <td>${name}</td>
    <td colspan="2">${text}</td>
  </tr>`;
}

function rangeText(values: Float64Array): string {
  return `${formatNumber(Math.min(...values), 3)} … ${formatNumber(Math.max(...values), 3)}`;
}
