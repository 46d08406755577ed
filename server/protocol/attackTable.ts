// Every attack that an experiment may name: what it is, its settings, the runs it consists of. Settings, completion, hovers,
// schemas, options of the command line and forms come from here; server/attack has a file with the algorithm for each.
// A new attack is an entry here, its file, and its line in server/attack/attacks.ts. Equation numbers: Peconi (2020).
import {
  curveKeys,
  leadingKeys,
  lossKey,
  restartsKey,
  stepSizeKey,
  stepsKey,
  trailingKeys,
  type AttackKeys,
  type ValuesOfKeys,
} from './attackKey.ts';

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

type Values = Readonly<Record<string, unknown>>;

interface AttackEntry {
  /** For people. */
  readonly name: string;
  readonly description: string;
  readonly equation: string;
  /** `floor`: no attack to judge by; `strong`: after it a robust figure needs no caveat. */
  readonly strength: 'floor' | 'usual' | 'strong';
  /** Whether it looks for the nearest image that fools, so that one evaluation tells of every ε. */
  readonly isNearest?: true;
  /** Besides those that all share. */
  readonly keys: AttackKeys;
  /** The attack in short: `PGD-50-10`. */
  readonly title: (values: Values) => string;
  readonly runs: (values: Values) => RunsOfAttack;
}

const restarted = (axis: RunsOfAttack['axis'], { restarts = 1, steps }: Values): RunsOfAttack => ({
  count: Number(restarts),
  called: 'restart',
  axis,
  length: Number(steps),
});

export const attackTable = {
  pgd: {
    name: 'PGD',
    description: 'Projected gradient descent with random restarts (Madry et al., 2018; thesis 3.6, 3.7).',
    equation: 'x₀ ~ U(B(x, ε));  xₜ₊₁ = clip(Π(xₜ + α·sign ∇ₓℓ(f(xₜ), y)), 0, 1);  l2: g/‖g‖₂ for sign g',
    strength: 'usual',
    keys: {
      stepSize: stepSizeKey,
      steps: stepsKey(50),
      restarts: restartsKey(10),
      loss: lossKey,
      target: {
        kind: 'choice',
        description: 'A class that the network shall say instead (3.5); any wrong answer counts.',
        choices: {
          none: { description: 'Away from the true class only.', equation: 'max ℓ(y)' },
          next: { description: "The clean image's second class.", equation: 'max ℓ(y) − ℓ(y_t)' },
          'least-likely': { description: "The clean image's last class.", equation: 'max ℓ(y) − ℓ(y_t)' },
          random: { description: 'Another at random in each restart.', equation: 'max ℓ(y) − ℓ(y_t)' },
        },
        byDefault: 'none',
        before: 'none',
      },
      momentum: {
        kind: 'number',
        description: 'μ, the share of the last direction that is kept (Dong et al., 2018, eq. 6).',
        min: 0,
        max: 1,
        byDefault: 0,
        before: 0,
      },
      ...curveKeys,
    },
    title: ({ steps, restarts }) => `PGD-${String(steps)}-${String(restarts)}`,
    runs: (values) => restarted('step', values),
  },
} as const satisfies Readonly<Record<string, AttackEntry>>;

export type AttackName = keyof typeof attackTable;
export const attackNames = Object.keys(attackTable) as AttackName[];

/** An attack with every setting spelled out. */
export type PlanOfAttack<A extends AttackName> = { readonly attack: A } & ValuesOfKeys<typeof leadingKeys> &
  ValuesOfKeys<(typeof attackTable)[A]['keys']> &
  ValuesOfKeys<typeof trailingKeys>;

export function attackEntry(name: AttackName): AttackEntry {
  return attackTable[name];
}

/** All settings of an attack, in the order in which they are read. */
export function attackKeys(name: AttackName): AttackKeys {
  return { ...leadingKeys, ...attackTable[name].keys, ...trailingKeys };
}
