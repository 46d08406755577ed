// What a layer costs: trained values, running statistics, multiplications. Memory of a pass is in server/model/passMemory.ts.
import { activationFunction, isFormulaActivation } from '../formula/activationFunction.ts';
import { kernelsOf, type ActivationPlan } from '../protocol/plan.ts';
import type { LayerLayout } from './layout.ts';

/** Trained values of the layer, of those inside of it as well. */
export function parametersOf(layer: LayerLayout): number {
  switch (layer.type) {
    case 'convolution': {
      const [inChannels, outChannels] = [layer.input[2]!, layer.output[2]!];
      return (layer.size ** 2 * inChannels + (layer.hasBias ? 1 : 0)) * outChannels;
    }
    case 'dense':
      return (layer.input[0]! + (layer.hasBias ? 1 : 0)) * layer.output[0]!;
    case 'batch-norm':
    case 'layer-norm':
    case 'group-norm':
      return 2 * layer.output.at(-1)!;
    case 'activation':
      return coefficientsOf(layer.activation) * layer.output.at(-1)!;
    case 'residual':
      return sum([...layer.branch, ...layer.skip].map(parametersOf)) + (layer.isScaled ? 1 : 0);
    case 'concat':
      return sum(layer.ways.flat().map(parametersOf));
    case 'dropout':
    case 'max-pool':
    case 'average-pool':
    case 'global-average-pool':
    case 'flatten':
      return 0;
    default:
      return layer satisfies never;
  }
}

/** Trained values of a channel. */
function coefficientsOf(activation: ActivationPlan): number {
  if (isFormulaActivation(activation)) return activationFunction(activation).parameters.length;
  switch (activation.type) {
    case 'spline':
      return activation.points;
    case 'kaf':
    case 'residual-kaf':
      return activation.dictionary;
    case 'multi-kaf':
      return activation.dictionary + kernelsOf(activation).length;
    case 'kaf-2d':
      return activation.dictionary ** 2;
    case 'kaf-free':
      return 2 * activation.dictionary + 1;
    case 'k-wta':
    case 'maxout':
      return 0;
    default:
      return activation satisfies never;
  }
}

/** Values of running means and variances. */
export function statisticsOf(layer: LayerLayout): number {
  if (layer.type === 'residual') return sum([...layer.branch, ...layer.skip].map(statisticsOf));
  if (layer.type === 'concat') return sum(layer.ways.flat().map(statisticsOf));
  return layer.type === 'batch-norm' ? 2 * layer.output.at(-1)! : 0;
}

/** Multiply-adds of convolutions and dense layers for one sample, forward. */
export function multiplyAddsOf(layer: LayerLayout): number {
  switch (layer.type) {
    case 'convolution':
      return floatsOf(layer.output) * layer.size ** 2 * layer.input[2]!;
    case 'dense':
      return layer.input[0]! * layer.output[0]!;
    case 'residual':
      return sum([...layer.branch, ...layer.skip].map(multiplyAddsOf));
    case 'concat':
      return sum(layer.ways.flat().map(multiplyAddsOf));
    default:
      return 0;
  }
}

/** Values of a shape. */
export function floatsOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
