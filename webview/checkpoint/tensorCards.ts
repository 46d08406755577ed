// What the inspector shows beside its table of the tensor that is chosen. Choosing is the panel's.
import { html } from 'lit';
import type { KafContents, TensorContents } from '../../server/protocol/checkpoint.ts';
import '../charts/lineChart.ts';
import '../charts/shapeGrid.ts';
import {
  evaluateShape,
  evaluateSlope,
  gridAt,
  gridFor,
  gridOfChannel,
  layerOfChannel,
  lipschitzEstimate,
} from '../kaf/shape.ts';
import { formatCount, formatNumber, formatShape } from '../text/numbers.ts';
import type { Palette } from '../theme/palette.ts';

interface KafCardOptions {
  /** 0 … channels − 1. */
  readonly channel: number;
  readonly chooseChannel: (channel: number) => void;
  readonly palette: Palette;
}

/** The shapes of a kernel activation function's channels, one of them large. */
export function kafCard(
  tensor: TensorContents,
  kaf: KafContents,
  { channel, chooseChannel, palette }: KafCardOptions,
): unknown {
  const small = gridFor(kaf, { points: 61, margin: 1 });
  const layer = layerOfChannel(kaf, kaf, channel);
  const large = gridOfChannel(gridFor(kaf, { points: 241, margin: 1 }), kaf, kaf, channel);
  const slope = evaluateSlope(large, kaf.alpha, channel);
  // A trained dictionary may have lost its order, which a curve needs.
  const dictionary = Float64Array.from(layer.dictionary).sort();
  const tiles = Array.from({ length: kaf.channels }, (_, index) => ({
    channel: index,
    now: evaluateShape(gridOfChannel(small, kaf, kaf, index), kaf.alpha, index),
    start: null,
  }));
  const range = `[${formatNumber(dictionary[0] ?? 0, 2)}, ${formatNumber(dictionary.at(-1) ?? 0, 2)}]`;
  const lipschitz = formatNumber(lipschitzEstimate(slope), 3);
  return html`<div class="card side">
    <h2>
      ${tensor.name.replace('model/', '')}
      <span
        >${kaf.channels} channels · dictionary ${dictionary.length} on ${range} · γ
        ${formatNumber(layer.gamma, 3)}</span
      >
      <b>max |f′| ${lipschitz}</b>
    </h2>
    <kaf-line-chart
      .curves=${[
        { name: 'derivative', x: large.x, y: slope, color: palette.slope, isDashed: true, width: 1.2 },
        {
          name: 'shape',
          x: large.x,
          y: evaluateShape(large, kaf.alpha, channel),
          color: palette.foreground,
          width: 2,
        },
        {
          name: 'dictionary',
          x: dictionary,
          y: evaluateShape(gridAt(layer, dictionary), kaf.alpha, channel),
          color: palette.foreground,
          hasDots: true,
          hasNoLine: true,
        },
      ]}
      .palette=${palette}
      label="Channel ${channel.toString()} of ${kaf.layer}: largest slope ${lipschitz}"
    ></kaf-line-chart>
    <kaf-shape-grid
      tileWidth="62"
      .tiles=${tiles}
      .x=${small.x}
      .chosen=${channel}
      .palette=${palette}
      label="${kaf.channels.toString()} channels of ${kaf.layer}; chosen ${channel.toString()}"
      @channel-chosen=${(event: CustomEvent<{ channel: number }>) => {
        chooseChannel(event.detail.channel);
      }}
    ></kaf-shape-grid>
  </div>`;
}

/** The distribution of a tensor's values. */
export function statisticsCard(tensor: TensorContents, palette: Palette): unknown {
  const { histogram, min, max } = tensor;
  const width = (max - min) / Math.max(1, histogram.length);
  const centres = histogram.map((_, index) => min + (index + 0.5) * width);
  const rows: [string, string][] = [
    ['shape', formatShape(tensor.shape)],
    ['type', tensor.dtype],
    ['values', formatCount(tensor.values)],
    ['L2 norm', formatNumber(tensor.l2)],
    ['mean ± std', `${formatNumber(tensor.mean, 3)} ± ${formatNumber(tensor.std, 3)}`],
    ['min … max', `${formatNumber(min, 3)} … ${formatNumber(max, 3)}`],
    ['not finite', formatCount(tensor.nonFinite)],
  ];
  return html`<div class="card side">
    <h2>${tensor.name} <span>distribution</span><b>${formatCount(tensor.values)} values</b></h2>
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
      ]}
      .palette=${palette}
      label="Distribution of ${tensor.name} from ${formatNumber(min, 3)} to ${formatNumber(max, 3)}"
    ></kaf-line-chart>
    <table>
      ${rows.map(
        ([name, text]) =>
          html`<tr>
            <td class="dim">${name}</td>
            <td>${text}</td>
          </tr>`,
      )}
    </table>
  </div>`;
}
