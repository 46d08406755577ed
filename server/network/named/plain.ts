// The plain networks of Peconi (2020): light (§6.1) and VGG-inspired (§7.1).
import type { LayerPlan } from '../../protocol/plan.ts';
import { activation, batchNorm, conv, dense, dropout, flatten, globalAveragePool, maxPool } from '../declare.ts';

/** A pooling and a dropout behind each pair of convolutions, their channels these. */
function pairs(channels: readonly number[], rates: readonly number[]): LayerPlan[] {
  return channels.flatMap((width, index) => [
    ...[conv(width), batchNorm, activation],
    ...[conv(width), batchNorm, activation],
    ...[maxPool(2), dropout(rates[index])],
  ]);
}

function head(rate: number | undefined): LayerPlan[] {
  return [dense(128), activation, dropout(rate), dense('classes')];
}

export function light(rates: readonly number[]): LayerPlan[] {
  return [...pairs([32, 64], rates), globalAveragePool, ...head(rates[2])];
}

export function vgg(rates: readonly number[]): LayerPlan[] {
  return [...pairs([32, 64, 128], rates), flatten, ...head(rates[3])];
}
