// What is measured: who does which work, and with whom it is compared. How each works is in ourWork.ts and torchWork.py.
import path from 'node:path';
import { activations, type ActivationName } from '../../server/formula/activations.ts';
import type { KafKernelName } from '../../server/formula/kafKernels.ts';
import type { MethodName } from '../../server/protocol/methodTable.ts';

export interface Work {
  /**
   * `pgd`: one step of projected gradient descent on a batch; `step`: one training step; of `stepsOfMany` steps: `steps`,
   * `watched-steps`, with one look of the watch, and `sweep`, each with a larger learning rate; whole attacks, cut down: `pgd-whole`,
   * one restart on a batch, and `autoattack`, the standard one on a trained network.
   */
  readonly kind: 'step' | 'pgd' | 'steps' | 'watched-steps' | 'sweep' | 'pgd-whole' | 'autoattack';
  readonly network: 'light' | 'vgg' | 'resnet20' | 'preact-resnet18' | 'cnn5';
  readonly activation: 'kaf' | 'kaf-2d' | ActivationName | keyof typeof otherKafs | keyof typeof typedFormulas;
  /** D of the KAF. */
  readonly dictionary: number;
  readonly method: MethodName;
  readonly batchSize: number;
  /** Norms of all tensors every so many steps; 0 for never. PyTorch measures none. */
  readonly normsEverySteps: number;
  /** Of a whole attack: so many steps of each of its runs in the place of all, and 50 queries of Square for each. */
  readonly cut?: { readonly steps: number };
  /** Of `autoattack`: absolute paths of the checkpoint attacked and of the folder of CIFAR-10's binary version. */
  readonly trained?: { readonly checkpoint: string; readonly data: string };
}

/** As often as training is watched. */
export const stepsOfMany = 50;

export type Engine =
  | (Ours & { readonly threads: number })
  | { readonly name: 'torch'; readonly mode: TorchMode; readonly threads: number; readonly device?: string };

/** PyTorch as it is, compiled, or by a library's attack. */
type TorchMode = 'eager' | 'compiled' | 'torchattacks' | 'art';

interface Ours {
  readonly name: 'ours';
  readonly runtime: 'wasm' | 'cpu' | 'tensorflow' | 'torch';
  /** Of the runtime `torch`. */
  readonly device?: string;
  /** Of a built checkout whose trainer makes the steps; absent for this one's loop on pictures in memory. */
  readonly folder?: string;
}

export interface Side {
  readonly work: Work;
  readonly engine: Engine;
}

/** `theirs` is how many times `ours` on the clock, by pairs that alternate. */
export interface Comparison {
  readonly name: string;
  readonly ours: Side;
  readonly theirs: Side;
  /** By which both times are multiplied in the report, where the whole work is more of the same. */
  readonly scale: { readonly factor: number; readonly what: string } | null;
}

/** As an experiment may type them. The second has 12 operations and two trained parameters. */
export const typedFormulas = {
  'typed-swish': { formula: 'x * sigmoid(b * x)', parameters: ['b'] },
  'typed-12': { formula: 'a * x * sigmoid(b * x) + (1 - a) * max(x, 0) + 0.1 * tanh(b * x)', parameters: ['a', 'b'] },
} as const;

/** KAFs of other kernels, measured beside the Gaussian's. */
export const otherKafs = {
  'kaf-relu': ['relu'],
  'kaf-softplus': ['softplus'],
  'kaf-rational-quadratic': ['rational-quadratic'],
  'multi-kaf': ['gaussian', 'softplus'],
} as const satisfies Readonly<Record<string, readonly KafKernelName[]>>;

const batchSize = 128;
const vgg: Work = {
  ...{ kind: 'step', network: 'vgg', activation: 'kaf', dictionary: 20, method: 'standard' },
  ...{ batchSize, normsEverySteps: 0 },
};
const swish: Work = { ...vgg, activation: 'swish' };

/** The whole steps of one runtime on one device, beside PyTorch's there: what is run where there is a GPU. */
export function comparisonsOn(device: string, threads: number): Comparison[] {
  const ours = { name: 'ours', runtime: 'torch', threads, device } as const;
  const step = (network: Work['network'], activation: Work['activation'], more: Partial<Work>): [string, Work] => {
    const work: Work = { ...vgg, network, activation, ...more };
    return [`${network}-${activation}-${work.kind === 'pgd' ? 'pgd' : work.method}-${work.batchSize}`, work];
  };
  const works = [128, 512].flatMap((size) =>
    (['vgg', 'resnet20'] as const).flatMap((network) =>
      (['relu', 'swish', 'kaf'] as const).flatMap((activation) => [
        step(network, activation, { batchSize: size }),
        step(network, activation, { batchSize: size, method: 'fgsm-rs' }),
        step(network, activation, { batchSize: size, kind: 'pgd' }),
      ]),
    ),
  );
  const besideTorch = works.flatMap(([name, work]) =>
    (['eager', 'compiled'] as const).map((mode): Comparison => {
      const theirs = { work, engine: { name: 'torch', mode, threads, device } as const };
      const factor = (50 * 512) / work.batchSize;
      return {
        ...{ name, ours: { work, engine: ours }, theirs },
        scale: work.kind === 'pgd' ? { factor, what: pgd50.what } : null,
      };
    }),
  );
  const kaf = { work: vgg, engine: ours };
  return [...besideTorch, { name: 'kaf-against-swish', ours: { work: swish, engine: ours }, theirs: kaf, scale: null }];
}

/** Of which the costliest ops are told: too little for two whole steps to tell apart, the norms' share is seen here. */
export const opsWork: Work = { ...vgg, normsEverySteps: 1 };

/** Beside PyTorch, eager and compiled. */
const besidePyTorch: Readonly<Record<string, Work>> = {
  'vgg-relu': { ...vgg, activation: 'relu' },
  'vgg-swish': swish,
  'vgg-kaf': vgg,
  'resnet20-kaf-fgsm-rs': { ...vgg, network: 'resnet20', method: 'fgsm-rs' },
  'preact-resnet18-relu': { ...vgg, network: 'preact-resnet18', activation: 'relu' },
  'cnn5-relu': { ...vgg, network: 'cnn5', activation: 'relu' },
  'light-kaf-standard': { ...vgg, network: 'light' },
  'light-kaf-fgsm-rs': { ...vgg, network: 'light', method: 'fgsm-rs' },
  'pgd-vgg-kaf': { ...vgg, kind: 'pgd' },
};

/** PGD-50-10 on 512 images, of which 5 steps on one batch are timed: 4 batches, 100 times as many steps. */
const pgdWhole: Work = { ...vgg, activation: 'relu', kind: 'pgd-whole', cut: { steps: 5 } };
const pgdWholeKaf: Work = { ...pgdWhole, activation: 'kaf', batchSize: 32 };

/** Whole attacks beside those of libraries. AutoAttack, on 256 images, needs a trained network: of 100 steps 2 are made. */
function besideLibraries(threads: number, trained: Work['trained']): Comparison[] {
  const beside = (name: string, work: Work, mode: TorchMode, scale: Comparison['scale']): Comparison => ({
    ...{ name, scale, ours: { work, engine: { name: 'ours', runtime: 'wasm', threads } } },
    theirs: { work, engine: { name: 'torch', mode, threads } },
  });
  const scale = ({ batchSize: size }: Work) => ({ factor: (512 / size) * 100, what: 'PGD-50-10 on 512 images' });
  const autoAttack: Work = {
    ...{ ...vgg, network: 'light', kind: 'autoattack', batchSize: 256, cut: { steps: 2 } },
    ...(trained && { trained }),
  };
  return [
    beside('pgd-50-10-vgg-relu', pgdWhole, 'torchattacks', scale(pgdWhole)),
    beside('pgd-50-10-vgg-relu', pgdWhole, 'art', scale(pgdWhole)),
    beside('pgd-50-10-vgg-kaf', pgdWholeKaf, 'torchattacks', scale(pgdWholeKaf)),
    ...(trained ? [beside('autoattack-light-kaf', autoAttack, 'torchattacks', null)] : []),
  ];
}

const pgd50 = { factor: (50 * 512) / batchSize, what: 'PGD-50 on 512 images' };

/** Each activation with a name here beside the same in a built checkout of another commit. */
export function besideCheckout(
  threads: number,
  folders: { readonly here: string; readonly there: string },
): Comparison[] {
  const ours = { name: 'ours', runtime: 'wasm', threads } as const;
  return (Object.keys(activations) as ActivationName[]).map((activation) => {
    const work: Work = { ...vgg, activation };
    const [here, there] = [folders.here, folders.there].map((folder) => ({ work, engine: { ...ours, folder } }));
    return { name: `activations:${activation}`, ours: there!, theirs: here!, scale: null };
  });
}

export function comparisons(
  threads: number,
  { rivals, trained }: { readonly rivals: readonly string[]; readonly trained: Work['trained'] },
): Comparison[] {
  const wasm = { name: 'ours', runtime: 'wasm', threads } as const;
  const list: Comparison[] = [];
  const add = (name: string, ours: Side, theirs: Side, scale: Comparison['scale'] = null) =>
    list.push({ name, ours, theirs, scale });
  for (const [name, work] of Object.entries(besidePyTorch)) {
    for (const mode of ['eager', 'compiled'] as const) {
      const torch = { name: 'torch', mode, threads } as const;
      add(name, { work, engine: wasm }, { work, engine: torch }, work.kind === 'pgd' ? pgd50 : null);
    }
  }
  list.push(...besideLibraries(threads, trained));
  add('kaf-against-swish', { work: swish, engine: wasm }, { work: vgg, engine: wasm });
  add('kaf-64-against-swish', { work: swish, engine: wasm }, { work: { ...vgg, dictionary: 64 }, engine: wasm });
  for (const activation of ['kaf-2d', ...(Object.keys(otherKafs) as (keyof typeof otherKafs)[])] as const) {
    add(`${activation}-against-gaussian`, { work: vgg, engine: wasm }, { work: { ...vgg, activation }, engine: wasm });
  }
  for (const activation of Object.keys(typedFormulas) as (keyof typeof typedFormulas)[]) {
    add(`${activation}-against-swish`, { work: swish, engine: wasm }, { work: { ...vgg, activation }, engine: wasm });
  }
  add('pgd-at-against-standard', { work: vgg, engine: wasm }, { work: { ...vgg, method: 'pgd' }, engine: wasm });
  const many: Work = { ...vgg, method: 'fgsm-rs', kind: 'steps' };
  add('watch-against-none', { work: many, engine: wasm }, { work: { ...many, kind: 'watched-steps' }, engine: wasm });
  add('lr-find-against-steps', { work: many, engine: wasm }, { work: { ...many, kind: 'sweep' }, engine: wasm });
  add('norms-against-none', { work: vgg, engine: wasm }, { work: { ...vgg, normsEverySteps: 1 }, engine: wasm });
  add(
    'one-thread-against-two',
    { work: vgg, engine: { ...wasm, threads: 2 } },
    { work: vgg, engine: { ...wasm, threads: 1 } },
  );
  const relu: Work = { ...vgg, activation: 'relu' };
  if (rivals.includes('cpu')) {
    // Seconds an image: both make a small batch, and the whole one is scaled.
    const small = { ...relu, batchSize: 2 };
    const engine = { name: 'ours', runtime: 'cpu', threads: 1 } as const;
    const scale = { factor: batchSize / small.batchSize, what: `a batch of ${batchSize}` };
    add('stock-tfjs', { work: small, engine: wasm }, { work: small, engine }, scale);
  }
  for (const runtime of ['tensorflow', 'torch'] as const) {
    if (!rivals.includes(runtime)) continue;
    for (const [name, work] of Object.entries({ relu, kaf: vgg })) {
      const engine = { name: 'ours', runtime, threads } as const;
      add(`${runtime}-${name}`, { work, engine: wasm }, { work, engine });
    }
  }
  return list;
}

export function describeSide(side: Side): string {
  const { work, engine } = side;
  const { network, activation, dictionary, method, kind } = work;
  const who =
    engine.name === 'ours'
      ? `ours on ${engine.runtime}`
      : engine.mode === 'torchattacks' || engine.mode === 'art'
        ? engine.mode
        : `PyTorch ${engine.mode}`;
  const how = activation === 'kaf' ? `KAF D=${dictionary}` : activation;
  const whats = {
    pgd: 'PGD step',
    step: `${method} step`,
    steps: `${stepsOfMany} ${method} steps`,
    'watched-steps': `${stepsOfMany} watched ${method} steps`,
    sweep: `sweep of ${stepsOfMany} ${method} steps`,
    'pgd-whole': `PGD, ${side.work.cut?.steps ?? 0} steps`,
    autoattack: `AutoAttack, ${side.work.cut?.steps ?? 0} steps a run`,
  };
  const what = whats[kind];
  const where = engine.name === 'ours' && engine.folder !== undefined ? ` of ${path.basename(engine.folder)}` : '';
  return `${network} ${how}, ${what}, ${who}${where}, ${engine.threads} thread${engine.threads === 1 ? '' : 's'}`;
}
