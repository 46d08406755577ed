// What attackTable.ts says of each attack, and certificateTable.ts of each certificate.
import type { AttackKeys } from './attackKey.ts';

/** What an attack does again and again: each run on what the runs before it left standing. */
export interface RunsOfAttack {
  readonly count: number;
  /** Counted from 1 for people: `restart 3`. */
  readonly called: 'restart' | 'target' | 'run';
  /** What the points of a run count. */
  readonly axis: 'step' | 'draw' | 'query';
  /** Points after the first, which is the start. */
  readonly length: number;
}

/** Of what is done once, in one piece. */
export const onceOver = { count: 1, called: 'run', axis: 'step', length: 0 } as const satisfies RunsOfAttack;

/** The settings of a plan by name. */
export type Values = Readonly<Record<string, unknown>>;

export interface EvaluationEntry {
  /** For people. */
  readonly name: string;
  readonly description: string;
  readonly equation: string;
  /** `floor`: no attack to judge by; `strong`: after it a robust figure needs no caveat. */
  readonly strength: 'floor' | 'usual' | 'strong';
  /** Whether it tells a distance for each image: of the nearest that fools, or up to which none does. So one evaluation tells of every ε. */
  readonly isNearest?: true;
  /** Besides those that all share. */
  readonly keys: AttackKeys;
  /** The attack in short: `PGD-50-10`. */
  readonly title: (values: Values) => string;
  readonly runs: (values: Values) => RunsOfAttack;
  /** The attacks that it is made of, each with what of its settings is not at its default; none for an attack of its own. */
  readonly members?: (values: Values) => readonly (readonly [attack: string, given: Values])[];
}
