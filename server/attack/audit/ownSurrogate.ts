// Images that are said to be another network's, and are the network's own.
import type { Check } from './suspect.ts';

export const ownSurrogate: Check = ({ isOwnSurrogate = false }) =>
  isOwnSurrogate
    ? {
        flag: 'own-surrogate',
        measured: 'The checkpoint that the images were made on has the very weights that they were shown to.',
        means: 'This is PGD, not transfer: it says nothing of an attacker who does not have the network.',
        next: 'Name another run in from, such as one of another seed, activation or training method.',
      }
    : null;
