// What the inspector shows beside its table of the tensor that is chosen. Choosing is the panel's.
import { html, nothing } from 'lit';
import { gridFor } from '../../server/formula/shape.ts';
import type { ShapeContents, SurfaceContents, TensorContents } from '../../server/protocol/checkpoint.ts';
import '../charts/lineChart.ts';
import '../charts/shapeGrid.ts';
import { commonRange, rangeWithout } from '../charts/commonRange.ts';
import '../charts/surfaceMap.ts';
import type { Curve } from '../charts/curve.ts';
import { curveAt, drawingOf, surfaceRow } from '../kaf/drawing.ts';
import { dotsOf, gridOfChannel, rowOf, layerOfChannel, lipschitzEstimate } from '../kaf/shape.ts';
import { steepestSlope, surfaceInputs, surfaceValues } from '../kaf/surface.ts';
import type { TensorRow } from '../state/checkpointTable.ts';
import { equationText, layerText, placesName } from '../text/layerText.ts';
import { formatCount, formatNumber, formatShape } from '../text/numbers.ts';
import type { Palette } from '../theme/palette.ts';

/** Beside a name. */
function damagedChip({ isDamaged }: TensorContents): unknown {
  return isDamaged ? html`<span class="chip bad">damaged</span>` : nothing;
}

interface ShapesCardOptions {
  /** 0 … channels − 1. */
  readonly channel: number;
  readonly chooseChannel: (channel: number) => void;
  readonly palette: Palette;
  /** Of the file that it is compared with; null for none. */
  readonly other: ShapeContents | null;
}

/** The functions of the channels, one of them large. */
export function shapesCard(
  tensor: TensorContents,
  shapes: ShapeContents,
  { channel, chooseChannel, palette, other }: ShapesCardOptions,
): unknown {
  const drawing = drawingOf(shapes);
  const tiles = Array.from({ length: shapes.channels }, (_, index) => ({
    channel: index,
    now: drawing.values(shapes, index),
    start: other && curveAt(other, drawing.x, index),
  }));
  const { about, steepest, picture } =
    'axis' in shapes ? surfaceParts(shapes, channel, palette) : curveParts(shapes, other, { channel, palette });
  return html`<div class="card">
    <h2>
      ${tensor.name.replace(/^(model|average)\//, '')}${shapes.weights ? ' averaged' : ''} ${damagedChip(tensor)}
      <span title=${about}>${about}</span>
      <b>${steepest}</b>
    </h2>
    ${picture}
    <kaf-shape-grid
      tileWidth="62"
      .tiles=${tiles}
      .kind=${drawing.kind}
      .x=${drawing.x}
      .chosen=${channel}
      .palette=${palette}
      label="${shapes.channels.toString()} channels of ${shapes.layer}${shapes.weights ? ', averaged' : ''}; chosen ${channel.toString()}"
      @channel-chosen=${(event: CustomEvent<{ channel: number }>) => {
        chooseChannel(event.detail.channel);
      }}
    ></kaf-shape-grid>
  </div>`;
}

interface ShapeParts {
  readonly about: string;
  readonly steepest: string;
  readonly picture: unknown;
}

function curveParts(
  shapes: Exclude<ShapeContents, SurfaceContents>,
  other: ShapeContents | null,
  { channel, palette }: { channel: number; palette: Palette },
): ShapeParts {
  const layer = layerOfChannel(shapes, shapes, channel);
  const large = gridOfChannel(gridFor(shapes, { points: 241, margin: 1 }), shapes, shapes, channel);
  const row = rowOf(shapes, shapes.alpha, channel);
  const slope = large.slopes(row);
  const dots = dotsOf(layer, row);
  const values = large.values(row);
  const lipschitz = formatNumber(lipschitzEstimate(slope), 3);
  const before = other && curveAt(other, large.x, channel);
  const curves: Curve[] = [
    ...(before ? [{ name: 'in the other', x: large.x, y: before, color: palette.faint, width: 2 }] : []),
    { name: 'derivative', x: large.x, y: slope, color: palette.slope, isDashed: true, width: 1.2 },
    { name: 'shape', x: large.x, y: values, color: palette.foreground, width: 2 },
    ...(dots ? [{ name: placesName(layer), ...dots, color: palette.foreground, hasDots: true, hasNoLine: true }] : []),
  ];
  const equation = 'formula' in layer ? ` · ${equationText(layer)}` : '';
  return {
    about: `${before ? 'faint: of the other · ' : ''}${shapes.channels.toString()} channels · ${placesName(layer)} ${layerText(layer)}${equation}`,
    steepest: `max |f′| ${lipschitz}`,
    picture: html`<kaf-line-chart
      .curves=${curves}
      .fixedY=${rangeWithout(slope, before ? [values, before] : [values])}
      .palette=${palette}
      label="Channel ${channel.toString()} of ${shapes.layer}: largest slope ${lipschitz}"
    ></kaf-line-chart>`,
  };
}

function surfaceParts(shapes: SurfaceContents, channel: number, palette: Palette): ShapeParts {
  const x = surfaceInputs(shapes, { points: 81, margin: 1 });
  const row = surfaceRow(shapes, shapes.alpha, channel);
  const values = surfaceValues(shapes, x, row);
  const steepest = formatNumber(steepestSlope(shapes, x, row), 3);
  return {
    about: `${shapes.channels.toString()} pairs · dictionary ${layerText(shapes)}`,
    steepest: `max |∇f| ${steepest}`,
    picture: html`<kaf-surface-map
      .values=${values}
      .x=${x}
      .range=${commonRange([values])}
      .palette=${palette}
      label="Pair ${channel.toString()} of ${shapes.layer}: largest slope ${steepest}"
    ></kaf-surface-map>`,
  };
}

/** The distribution of a tensor's values. */
export function statisticsCard(tensor: TensorRow, palette: Palette): unknown {
  const { difference } = tensor;
  const { histogram, min, max } = difference ?? tensor;
  const width = (max - min) / Math.max(1, histogram.length);
  const centres = histogram.map((_, index) => min + (index + 0.5) * width);
  const kind: [string, string][] = [
    ['shape', formatShape(tensor.shape)],
    ['type', tensor.dtype],
    ['values', formatCount(tensor.values)],
  ];
  if (tensor.isUnread)
    return html`<div class="card">
      <h2>${tensor.name} <span>values of this type are not read</span></h2>
      ${table(kind)}
    </div>`;
  const rows: [string, string][] = [
    ...kind,
    ['L2 norm', formatNumber(tensor.l2)],
    ['mean ± std', `${formatNumber(tensor.mean, 3)} ± ${formatNumber(tensor.std, 3)}`],
    ['min … max', `${formatNumber(tensor.min, 3)} … ${formatNumber(tensor.max, 3)}`],
    ['not finite', formatCount(tensor.nonFinite)],
    ...(difference
      ? ([
          ['‖Δ‖ from the other', formatNumber(difference.l2)],
          ['‖Δ‖/‖w‖', formatNumber(difference.relative)],
          ['max |Δ|', formatNumber(difference.largest)],
        ] as [string, string][])
      : []),
  ];
  const other: Curve[] = difference
    ? [{ name: 'in the other', x: centres, y: difference.otherHistogram, color: palette.foreground, width: 1.2 }]
    : [];
  return html`<div class="card">
    <h2>
      ${tensor.name} ${damagedChip(tensor)}
      <span>${difference ? 'distribution · thin line: of the other' : 'distribution'}</span
      ><b>${formatCount(tensor.values)} values</b>
    </h2>
    <kaf-line-chart
      .curves=${[
        {
          name: 'count',
          x: centres,
          y: histogram,
          color: palette.clean,
          width: 1.6,
          band: { low: histogram.map(() => 0), high: histogram },
        },
        ...other,
      ]}
      .palette=${palette}
      label="Distribution of ${tensor.name} from ${formatNumber(min, 3)} to ${formatNumber(max, 3)}"
    ></kaf-line-chart>
    ${table(rows)}
  </div>`;
}

function table(rows: readonly [string, string][]): unknown {
  return html`<table>
    ${rows.map(
      ([name, text]) =>
        html`<tr>
          <td class="dim">${name}</td>
          <td>${text}</td>
        </tr>`,
    )}
  </table>`;
}
