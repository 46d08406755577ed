// Every attack that an experiment may name: what it is, its settings, the runs it consists of. Settings, completion, hovers,
// schemas, options of the command line and forms come from here; server/attack has a file with the algorithm for each.
// A new attack is an entry here, its file, and its line in server/attack/attacks.ts. Equation numbers: Peconi (2020).
import { autoAttackSuites } from './autoAttackSuites.ts';
import type { leadingKeys, trailingKeys } from './attackKey.ts';
import {
  curveKeys,
  expectationKey,
  lossKey,
  momentumKey,
  placeName,
  protocolKey,
  restartsKey,
  stepSizeKey,
  stepsKey,
  targetsKey,
  usualEpsilon,
  type AttackKeys,
  type ValuesOfKeys,
} from './attackKey.ts';
import type { EvaluationEntry, RunsOfAttack, Values } from './attackEntry.ts';

const restarted = (axis: RunsOfAttack['axis'], { restarts, steps }: Values): RunsOfAttack => ({
  count: Number(restarts),
  called: 'restart',
  axis,
  length: Number(steps),
});

const apgdEquation =
  'z = Π(x + η·sign ∇ₓℓ);  x′ = Π(x + ¾(z − x) + ¼(x − x₋₁));  η ← η/2 and x ← best where the loss stands or oscillates';
const fabEquation =
  'x ← (1 − α)(x + 1.05·d(x)) + α(x₀ + 1.05·d(x₀)),  d the way to the linear model of the nearest boundary within [0, 1]';

const fabKeys = {
  alphaMax: {
    kind: 'number',
    description: 'The most that a step is drawn towards the clean image.',
    min: 0,
    max: 1,
    byDefault: 0.1,
  },
  eta: {
    kind: 'number',
    description: 'η, how far a step goes beyond the boundary, 1 being onto it.',
    min: 1,
    max: 2,
    byDefault: 1.05,
  },
  beta: {
    kind: 'number',
    description: 'β, how much of its offset an image that fools keeps before it goes on.',
    min: 0,
    max: 1,
    byDefault: 0.9,
  },
} as const satisfies AttackKeys;

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
      momentum: momentumKey,
      ...curveKeys,
      protocol: protocolKey,
    },
    title: ({ steps, restarts }) => `PGD-${String(steps)}-${String(restarts)}`,
    runs: (values) => restarted('step', values),
  },
  fgsm: {
    name: 'FGSM',
    description: 'One step from the image itself (Goodfellow et al., 2015; thesis 3.8).',
    equation: 'clip(x + ε·sign ∇ₓℓ(f(x), y), 0, 1);  l2: g/‖g‖₂ for sign g',
    strength: 'floor',
    keys: { loss: lossKey, ...curveKeys, protocol: protocolKey },
    title: () => 'FGSM',
    runs: () => ({ count: 1, called: 'run', axis: 'step', length: 1 }),
  },
  noise: {
    name: 'noise',
    description: 'Uniform noise in the ball, which no network should fear.',
    equation: 'clip(x + δ, 0, 1),  δ ~ U(B(0, ε))',
    strength: 'floor',
    keys: {
      draws: {
        kind: 'number',
        description: 'Points of the ball that are tried.',
        min: 1,
        max: 10_000,
        isInteger: true,
        byDefault: 100,
      },
      ...curveKeys,
    },
    title: ({ draws }) => `noise × ${String(draws)}`,
    runs: ({ draws }) => ({ count: 1, called: 'run', axis: 'draw', length: Number(draws) }),
  },
  transfer: {
    name: 'transfer',
    description:
      "PGD on another network, whose images are then shown to this one (Liu et al., 2017): an attacker without this network's gradients.",
    equation: 'xₜ₊₁ = clip(Π(xₜ + α·sign ∇ₓℓ(g(xₜ), y)), 0, 1),  g the other network;  fooled where f(x_T) ≠ y',
    strength: 'floor',
    keys: {
      from: {
        kind: 'place',
        description: 'The other network: the id of a run beside this one, or the path of a run or a checkpoint.',
        label: 'made on',
        expected: 'the id of a run, or the path of a run or a checkpoint',
        remedy: 'Name the network that the images are made on.',
      },
      judged: {
        kind: 'choice',
        description: 'Which images this network is shown.',
        choices: {
          last: { description: 'The last of each restart, as in the literature: nothing is learnt from its answers.' },
          all: { description: 'Those of every step: the worst case, as under PGD.' },
        },
        byDefault: 'last',
      },
      stepSize: stepSizeKey,
      steps: stepsKey(50),
      restarts: restartsKey(10),
      loss: lossKey,
      momentum: momentumKey,
      ...curveKeys,
    },
    title: ({ steps, restarts, from }) =>
      `transfer-${String(steps)}-${String(restarts)} from ${placeName(String(from))}`,
    runs: (values) => restarted('step', values),
  },
  'apgd-ce': {
    name: 'APGD-CE',
    description: 'Auto-PGD with cross-entropy: it chooses its step sizes itself (Croce & Hein, 2020).',
    equation: apgdEquation,
    strength: 'usual',
    keys: { steps: stepsKey(100), restarts: restartsKey(1), expectation: expectationKey, ...curveKeys },
    title: ({ steps }) => `APGD-CE-${String(steps)}`,
    runs: (values) => restarted('step', values),
  },
  'apgd-dlr': {
    name: 'APGD-DLR',
    description: 'Auto-PGD with the difference of logits ratio (Croce & Hein, 2020). Needs three classes.',
    equation: apgdEquation,
    strength: 'usual',
    keys: { steps: stepsKey(100), restarts: restartsKey(1), expectation: expectationKey, ...curveKeys },
    title: ({ steps }) => `APGD-DLR-${String(steps)}`,
    runs: (values) => restarted('step', values),
  },
  'apgd-t': {
    name: 'APGD-T',
    description:
      'Auto-PGD towards one class after the other, from the likeliest, with the targeted difference of logits ratio (Croce & Hein, 2020). Needs four classes.',
    equation: `${apgdEquation};  ℓ = −(z_y − z_t)/(z_π₁ − (z_π₃ + z_π₄)/2)`,
    strength: 'strong',
    keys: { steps: stepsKey(100), targets: targetsKey, expectation: expectationKey, ...curveKeys },
    title: ({ steps, targets }) => `APGD-T-${String(steps)}-${String(targets)}`,
    runs: ({ steps, targets }) => ({ count: Number(targets), called: 'target', axis: 'step', length: Number(steps) }),
  },
  square: {
    name: 'Square',
    description:
      'Random search by squares, which asks for logits only: where it beats attacks by gradients, these are masked (Andriushchenko et al., 2020).',
    equation: 'x ← clip(Π(x + δ)) where it lowers z_y − max_{i≠y} zᵢ;  δ = ±2ε on a square that shrinks',
    strength: 'usual',
    keys: {
      queries: {
        kind: 'number',
        description: 'Looks at each image after the start.',
        min: 1,
        max: 60_000,
        isInteger: true,
        byDefault: 5000,
      },
      share: {
        kind: 'number',
        description: 'p, the share of the pixels that the first squares have.',
        min: 0,
        max: 1,
        isMinExcluded: true,
        byDefault: 0.8,
      },
      schedule: {
        kind: 'choice',
        description: 'When the squares shrink.',
        choices: {
          rescaled: { description: 'Over the queries that there are.' },
          fixed: { description: 'As if there were 10,000, as in AutoAttack, whose 5000 end half way.' },
        },
        byDefault: 'rescaled',
        before: 'rescaled',
      },
      restarts: restartsKey(1),
      ...curveKeys,
    },
    title: ({ queries }) => `Square-${String(queries)}`,
    runs: ({ queries, restarts }) => restarted('query', { restarts, steps: queries }),
  },
  fab: {
    name: 'FAB',
    description:
      'Fast adaptive boundary attack: the nearest image that fools (Croce & Hein, 2020). A gradient for each class a step.',
    equation: fabEquation,
    strength: 'usual',
    isNearest: true,
    keys: { steps: stepsKey(100), restarts: restartsKey(1), ...fabKeys },
    title: ({ steps }) => `FAB-${String(steps)}`,
    runs: (values) => restarted('step', values),
  },
  'fab-t': {
    name: 'FAB-T',
    description: 'FAB towards one class after the other, from the likeliest: one gradient a step (Croce & Hein, 2020).',
    equation: fabEquation,
    strength: 'usual',
    isNearest: true,
    keys: { steps: stepsKey(100), targets: targetsKey, restarts: restartsKey(1), ...fabKeys },
    title: ({ steps, targets }) => `FAB-T-${String(steps)}-${String(targets)}`,
    runs: ({ steps, targets, restarts }) => ({
      ...{ count: Number(targets) * Number(restarts), called: 'target', axis: 'step', length: Number(steps) },
    }),
  },
  deepfool: {
    name: 'DeepFool',
    description:
      'Onto the nearest boundary of the linear model until the network is fooled (Moosavi-Dezfooli et al., 2016).',
    equation: 'r ← |f_l|/‖∇f_l‖₂²·∇f_l,  f_k = z_k − z_y,  l = argmin |f_k|/‖∇f_k‖₂;  linf: |f_l|/‖∇f_l‖₁·sign ∇f_l',
    strength: 'usual',
    isNearest: true,
    keys: {
      steps: stepsKey(50),
      candidates: {
        kind: 'number',
        description: 'Classes that are looked at, by the logits of the clean image.',
        min: 2,
        max: 1000,
        isInteger: true,
        byDefault: 10,
      },
      overshoot: { kind: 'number', description: 'η, how far beyond the boundary.', min: 0, max: 1, byDefault: 0.02 },
    },
    title: ({ steps }) => `DeepFool-${String(steps)}`,
    runs: ({ steps }) => ({ count: 1, called: 'run', axis: 'step', length: Number(steps) }),
  },
  cw: {
    name: 'C&W',
    description:
      'The nearest image that fools, by Adam with a penalty whose weight is searched for (Carlini & Wagner, 2017).',
    equation:
      'min ‖x′ − x‖₂² + c·max(z_y − max_{i≠y} zᵢ, −κ),  x′ = ½(tanh w + 1);  linf: Σ max(|x′ᵢ − xᵢ| − τ, 0) for ‖·‖₂²',
    strength: 'usual',
    isNearest: true,
    keys: {
      searches: {
        kind: 'number',
        description: 'Searches, after each of which c or τ changes.',
        min: 1,
        max: 100,
        isInteger: true,
        byDefault: 9,
      },
      steps: { ...stepsKey(200), description: 'Steps of each search.' },
      learningRate: {
        kind: 'number',
        description: "Adam's learning rate.",
        min: 0,
        max: 10,
        isMinExcluded: true,
        byDefault: 0.01,
      },
      constant: {
        kind: 'number',
        description: 'c of the first search.',
        min: 0,
        max: 1e6,
        isMinExcluded: true,
        byDefault: 0.01,
      },
      confidence: {
        kind: 'number',
        description: 'κ, by how much the wrong logit shall lead.',
        min: 0,
        max: 1000,
        byDefault: 0,
      },
    },
    title: ({ searches, steps }) => `C&W-${String(searches)}-${String(steps)}`,
    runs: ({ searches, steps }) => ({
      count: 1,
      called: 'run',
      axis: 'step',
      length: Number(searches) * Number(steps),
    }),
  },
  nes: {
    name: 'NES',
    description:
      'PGD along a gradient that is estimated from logits at random points nearby (Ilyas et al., 2018): the attack that broke k-WTA (Tramèr et al., 2020).',
    equation: 'g = 1/(2nσ)·Σ (m(x + σu) − m(x − σu))·u,  u ~ N(0, I),  m = max_{i≠y} zᵢ − z_y',
    strength: 'usual',
    keys: {
      stepSize: stepSizeKey,
      steps: stepsKey(100),
      directions: {
        kind: 'number',
        description: 'n, the pairs of points of a step.',
        min: 1,
        max: 300,
        isInteger: true,
        byDefault: 50,
      },
      growth: {
        kind: 'choice',
        description: 'Whether later steps take more points.',
        choices: {
          none: { description: 'As many in each step.' },
          late: { description: '10 times as many from a fifth of the steps on, 200 times from two fifths on.' },
        },
        byDefault: 'none',
      },
      sigma: {
        ...{ kind: 'number', description: 'σ, how far off the points are.', min: 0, max: 1, isMinExcluded: true },
        ...{
          isPixelLength: true,
          byDefault: {
            computed: 'epsilon under linf, else 8/255',
            of: ({ norm, epsilon }) => (norm === 'linf' ? Number(epsilon) : usualEpsilon.linf),
          },
        },
      },
      ...curveKeys,
    },
    title: ({ steps, directions }) => `NES-${String(steps)}-${String(directions)}`,
    runs: ({ steps }) => ({ count: 1, called: 'run', axis: 'step', length: Number(steps) }),
  },
  autoattack: {
    name: 'AutoAttack',
    description: 'The usual standard: several attacks, each on what those before left standing (Croce & Hein, 2020).',
    equation: 'APGD-CE, APGD-T, FAB-T, Square',
    strength: 'strong',
    keys: {
      suite: {
        kind: 'choice',
        description: 'Which attacks.',
        choices: {
          standard: { description: 'APGD-CE, APGD-T and FAB-T towards 9 classes, Square with 5000 queries.' },
          plus: { description: 'APGD-CE and APGD-DLR with 5 restarts, FAB with 5, Square, APGD-T, FAB-T.' },
          rand: {
            description: 'For networks with random parts: APGD-CE and APGD-DLR, each gradient averaged over 20 passes.',
          },
        },
        byDefault: 'standard',
      },
      ...curveKeys,
    },
    title: ({ suite }) => `AutoAttack ${String(suite)}`,
    runs: () => ({ count: 0, called: 'run', axis: 'step', length: 0 }),
    members: ({ suite }) => autoAttackSuites[suite as keyof typeof autoAttackSuites],
  },
} as const satisfies Readonly<Record<string, EvaluationEntry>>;

export type AttackName = keyof typeof attackTable;
export const attackNames = Object.keys(attackTable) as AttackName[];

/** An attack with every setting spelled out. */
export type PlanOfAttack<A extends AttackName> = { readonly attack: A } & ValuesOfKeys<typeof leadingKeys> &
  ValuesOfKeys<(typeof attackTable)[A]['keys']> &
  ValuesOfKeys<Omit<typeof trailingKeys, keyof (typeof attackTable)[A]['keys']>>;
