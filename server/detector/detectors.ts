// The list of detectors: which file learns what is called how.
import type { DetectorName } from '../protocol/detectorTable.ts';
import { density } from './density.ts';
import type { Detector } from './detector.ts';
import { metzen } from './metzen.ts';

export const detectors: { readonly [D in DetectorName]: Detector<D> } = { density, metzen };
