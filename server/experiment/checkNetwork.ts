// Whether a network's layers fit together: dropout rates, depths, and the shapes from layer to layer where the plan tells those of a
// sample.
import { layOutNetwork, type NetworkEnds } from '../network/layout.ts';
import { NetworkError } from '../network/networkError.ts';
import { namedNetwork } from '../network/named/named.ts';
import type { LayerPlan, ModelPlan, NetworkPlan } from '../protocol/plan.ts';
import { networkText } from './describePlan.ts';
import type { PlanIssue } from './experimentText.ts';

/** `ends` are null where only the disk tells them: then shapes are checked when training begins. */
export function checkNetwork(model: ModelPlan, ends: NetworkEnds | null): PlanIssue[] {
  const { network } = model;
  const isDeclared = typeof network !== 'string' && network.type === 'layers';
  const holders = isDeclared ? checkHolders(network.layers, 'model.network.layers') : [];
  const issues = [...checkDepth(network), ...checkDropout(model), ...holders];
  if (issues.length > 0) return issues;
  return ends === null ? [] : [...checkNormalization(model, ends), ...checkShapes(model, ends)];
}

/** A value for each channel. */
function checkNormalization({ normalization }: ModelPlan, { sampleShape }: NetworkEnds): PlanIssue[] {
  if (!normalization || normalization === 'dataset') return [];
  const nChannels = sampleShape.at(-1)!;
  return (['mean', 'std'] as const).flatMap((key) => {
    const nValues = normalization[key].length;
    if (nValues === nChannels) return [];
    const remedy = `A sample is [${sampleShape.join(', ')}]: write as many values, or remove the key.`;
    const issue = { path: `model.normalization.${key}`, severity: 'error', remedy } as const;
    return [{ ...issue, expected: `${nChannels} values, one for each channel`, got: String(nValues) }];
  });
}

/** Layers that hold others, and hold none. */
function checkHolders(layers: readonly LayerPlan[], path: string): PlanIssue[] {
  const missing = (at: string, expected: string): PlanIssue => {
    const remedy = 'Write them below it, one "- layer" a line.';
    return { path: at, severity: 'error', expected, got: 'none', remedy };
  };
  if (layers.length === 0 && path === 'model.network.layers') {
    return [missing(path, 'layers, the last of them "dense: classes"')];
  }
  return layers.flatMap((layer, index) => {
    const at = `${path}[${index}]`;
    const holds = (type: string, inner: readonly LayerPlan[], key: string) =>
      inner.length === 0 ? [missing(at, `layers in ${type}`)] : checkHolders(inner, `${at}.${key}`);
    switch (layer.type) {
      case 'repeat':
        return holds('repeat', layer.layers, 'repeat.layers');
      case 'block':
        return holds('block', layer.layers, 'block');
      case 'residual':
        return [
          ...holds('the branch of residual', layer.branch, 'residual.branch'),
          ...checkHolders(layer.skip, `${at}.residual.skip`),
        ];
      case 'concat':
        if (layer.ways.length === 0) return [missing(at, 'ways in concat')];
        return layer.ways.flatMap((way, number) => checkHolders(way, `${at}.concat[${number}]`));
      default:
        return [];
    }
  });
}

function checkShapes(model: ModelPlan, ends: NetworkEnds): PlanIssue[] {
  try {
    layOutNetwork(model, ends);
    return [];
  } catch (cause) {
    if (!(cause instanceof NetworkError)) throw cause;
    const { path, expected, got, remedy } = cause;
    const isDeclared = namedNetwork(model.network) === null;
    return [{ path: isDeclared ? `model.network.${path}` : 'model.network', severity: 'error', expected, got, remedy }];
  }
}

function checkDepth(network: NetworkPlan): PlanIssue[] {
  if (typeof network === 'string' || network.type !== 'resnet' || (network.depth - 2) % 6 === 0) return [];
  const shallower = 6 * Math.floor((network.depth - 2) / 6) + 2;
  const remedy = `Three stages of equally many blocks of two convolutions make ${shallower} or ${shallower + 6} layers.`;
  const issue = { path: 'model.network.depth', severity: 'error', expected: 'a depth of 6n + 2' } as const;
  return [{ ...issue, got: String(network.depth), remedy }];
}

function checkDropout({ network, dropout }: ModelPlan): PlanIssue[] {
  const named = namedNetwork(network);
  const nDropout = named ? named.entry.dropout(named.numbers).length : 0;
  if (dropout.length === nDropout) return [];
  const has = nDropout > 0 ? `${nDropout} dropout layers; use 0 for none` : 'no dropout layers: remove the key';
  const remedy = named
    ? `The network ${networkText(network)} has ${has}.`
    : 'Declared layers have their rates themselves, as in "- dropout: 0.3": remove the key.';
  const issue = { path: 'model.dropout', severity: 'error', expected: `a list of ${nDropout} rates` } as const;
  return [{ ...issue, got: `a list of ${dropout.length}`, remedy }];
}
