// Layers that are not smooth, by the network's plan: attacks by gradients have misled on such networks.
import type { Check } from './suspect.ts';

/** k-winners-take-all (Xiao et al., 2020), which Tramèr et al. (2020) broke without gradients, and steps. */
export const nonSmooth: Check = ({ plan, activations }) => {
  const kinds = ['k-wta', 'step'].flatMap((kind) => {
    const count = activations.filter((one) => one === kind).length;
    return count > 0 ? [`${String(count)} of ${String(activations.length)} activation layers are ${kind}`] : [];
  });
  if (kinds.length === 0 || plan.attack === 'nes' || plan.attack === 'square') return null;
  return {
    flag: 'non-smooth',
    measured: `In this network ${kinds.join(' and ')}.`,
    means:
      'Their gradient jumps, so that attacks which follow it may miss what is near: such defences have fallen to attacks by answers alone.',
    next: 'Run nes with growth late, square and autoattack, and take the least of all figures.',
  };
};
