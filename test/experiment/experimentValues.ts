// Experiments for the property tests: the values of a file, generated.
import fc from 'fast-check';
import { kafKernelNames } from '../../server/formula/kafKernels.ts';
import { methodNames } from '../../server/protocol/methodTable.ts';
import { initializerNames } from '../../server/protocol/initializers.ts';

/** Layers that keep a feature map's shape, whatever it is, and hold one another. */
const { layers: shapeKeeping } = fc.letrec<{ layers: unknown[]; layer: unknown }>((tie) => ({
  layers: fc.array(tie('layer'), { minLength: 1, maxLength: 4, depthIdentifier: 'layers' }),
  layer: fc.oneof(
    { depthIdentifier: 'layers', maxDepth: 3 },
    fc.constantFrom('activation', 'batch-norm', 'layer-norm', { 'group-norm': 1 }, { 'batch-norm': {} }),
    fc.record({ dropout: fc.double({ min: 0, max: 0.6, noNaN: true }) }),
    fc.record({ activation: fc.constantFrom('relu', { type: 'kaf', dictionary: 7 }, { formula: 'x * sigmoid(x)' }) }),
    fc.record({
      'average-pool': fc.record({
        size: fc.integer({ min: 1, max: 4 }),
        stride: fc.constant(1),
        padding: fc.constant('same'),
      }),
    }),
    fc.record({ repeat: fc.record({ times: fc.integer({ min: 1, max: 3 }), layers: tie('layers') }) }),
    fc.record({ block: tie('layers') }),
    fc.record({
      residual: fc.record(
        { branch: tie('layers'), skip: tie('layers'), scale: fc.constantFrom('none', 'trained') },
        { requiredKeys: ['branch'] },
      ),
    }),
  ),
}));

/** A network of declared layers that fit pictures and ten classes. */
const declaredNetwork = fc
  .record({
    layers: shapeKeeping,
    channels: fc.integer({ min: 1, max: 9 }),
    size: fc.constantFrom(1, 3, 5, 7),
    initializer: fc.constantFrom(...initializerNames),
    bias: fc.boolean(),
    nWays: fc.integer({ min: 1, max: 3 }),
    end: fc.constantFrom('flatten', 'global-average-pool'),
  })
  .map(({ layers, nWays, end, ...conv }) => ({
    layers: [
      ...layers,
      { conv },
      { concat: Array.from({ length: nWays }, () => layers) },
      { 'max-pool': { size: 3, stride: 2 } },
      end,
      { dense: { units: 'classes', bias: conv.bias, name: 'logits' } },
    ],
  }));

/** Random keys of an experiment that are right, or left out. */
export const experimentValues = fc.record(
  {
    name: fc.stringMatching(/^[a-zA-Z0-9 _#:'"-]{0,20}[a-z]$/),
    dataset: fc.oneof(
      fc.constantFrom('shapes', 'cifar10'),
      fc.record(
        { name: fc.constant('shapes'), trainSamples: fc.integer({ min: 4600, max: 9999 }), seed: fc.nat() },
        { requiredKeys: ['name'] },
      ),
      fc.record({ name: fc.constant('cifar10'), path: fc.constantFrom('~/a', 'b/c', '/d', '../é f') }),
    ),
    model: fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record(
          {
            network: fc.oneof(
              fc.constantFrom('light', 'vgg', 'resnet20', 'resnet56', 'resnet'),
              fc.integer({ min: 1, max: 200 }).map((n) => ({ type: 'resnet', depth: 6 * n + 2 })),
              fc.constantFrom('preact-resnet18', 'cnn5', 'mlp'),
              fc.record({ type: fc.constant('cnn5'), blocks: fc.integer({ min: 1, max: 5 }) }),
              fc.record({
                ...{ type: fc.constant('mlp'), hiddenLayers: fc.integer({ min: 1, max: 9 }) },
                units: fc.integer({ min: 1, max: 500 }),
              }),
              declaredNetwork,
            ),
            convolutionL2: fc.double({ min: 0, max: 10, noNaN: true }),
            activation: fc.oneof(
              fc.constantFrom(
                ...['relu', 'elu', 'swish', 'kaf', 'residual-kaf', 'kaf-free', 'gelu', 'tanh', 'sigmoid'],
              ),
              fc.constantFrom(...['leaky-relu', 'softplus', 'smooth-relu', 'step', 'k-wta', 'prelu', 'srelu']),
              fc.constantFrom('generalized-tanh', 'apl', 'polynomial', 'spline'),
              fc.record({
                type: fc.constant('k-wta'),
                ratio: fc.double({ min: 0.5, max: 1, noNaN: true }),
                lowering: fc.record(
                  {
                    to: fc.double({ min: 1e-3, max: 0.4, noNaN: true }),
                    by: fc.double({ min: 1e-3, max: 1, noNaN: true }),
                    everyEpochs: fc.integer({ min: 1, max: 9 }),
                    afterEpochs: fc.nat(20),
                  },
                  { requiredKeys: [] },
                ),
              }),
              fc.record(
                {
                  type: fc.constant('spline'),
                  points: fc.integer({ min: 4, max: 256 }),
                  boundary: fc.double({ min: 1e-3, max: 100, noNaN: true }),
                  basis: fc.constantFrom('catmull-rom', 'b-spline'),
                  start: fc.constantFrom('tanh', 'relu', 'elu', 'swish', 'identity'),
                  noise: fc.double({ min: 0, max: 100, noNaN: true }),
                },
                { requiredKeys: ['type'] },
              ),
              fc.record({ type: fc.constant('elu'), alpha: fc.double({ min: 1e-6, max: 10, noNaN: true }) }),
              fc.record(
                { type: fc.constantFrom('kaf', 'residual-kaf'), kernel: fc.constantFrom(...kafKernelNames) },
                { requiredKeys: ['type'] },
              ),
              fc.record(
                {
                  type: fc.constant('multi-kaf'),
                  kernels: fc.uniqueArray(fc.constantFrom(...kafKernelNames), { minLength: 2 }),
                  dictionary: fc.integer({ min: 2, max: 256 }),
                },
                { requiredKeys: ['type'] },
              ),
              fc.record(
                {
                  type: fc.constantFrom('kaf', 'residual-kaf', 'kaf-free'),
                  dictionary: fc.integer({ min: 2, max: 256 }),
                  boundary: fc.double({ min: 1e-3, max: 100, noNaN: true }),
                  gamma: fc.oneof(fc.constant('auto'), fc.double({ min: 1e-6, max: 1e6, noNaN: true })),
                  init: fc.oneof(
                    fc.record({ normal: fc.double({ min: 0, max: 100, noNaN: true }) }),
                    fc.record({ ridge: fc.constantFrom('elu', 'swish', 'relu', 'tanh', 'identity') }),
                  ),
                },
                { requiredKeys: ['type'] },
              ),
            ),
            spectralNorm: fc.constantFrom('none', 'penalty', { type: 'normalization', iterations: 3 }),
            alphaL1: fc.double({ min: 0, max: 10, noNaN: true }),
            denseL2: fc.double({ min: 0, max: 10, noNaN: true }),
            initializer: fc.oneof(
              fc.constantFrom(...initializerNames),
              fc.record({
                type: fc.constantFrom(...initializerNames),
                gain: fc.double({ min: 1e-3, max: 100, noNaN: true }),
              }),
            ),
            normalization: fc.constantFrom('none', 'cifar10'),
          },
          { requiredKeys: [] },
        ),
      },
      {
        weight: 1,
        arbitrary: fc.record(
          {
            network: fc.constantFrom('light', 'vgg', 'resnet20', 'mlp'),
            activation: fc.record(
              { type: fc.constant('maxout'), maps: fc.integer({ min: 2, max: 16 }) },
              { requiredKeys: ['type'] },
            ),
          },
          { requiredKeys: ['activation'] },
        ),
      },
    ),
    training: fc.record(
      {
        method: fc.oneof(
          fc.constantFrom(...methodNames),
          fc.record(
            {
              type: fc.constant('fgsm-rs'),
              start: fc.constantFrom('ball', 'image'),
              statistics: fc.constantFrom('batch', 'moving', 'running'),
            },
            { requiredKeys: ['type'] },
          ),
          fc.record(
            { type: fc.constant('trades'), beta: fc.nat(1000), steps: fc.integer({ min: 1, max: 1000 }) },
            { requiredKeys: ['type'] },
          ),
          fc.record(
            { type: fc.constant('ensemble'), combine: fc.constantFrom('max', 'msd'), l2Epsilon: fc.constant('1/2') },
            { requiredKeys: ['type'] },
          ),
        ),
        threat: fc.record({ epsilon: fc.double({ min: 1e-6, max: 1, noNaN: true }) }),
        epochs: fc.integer({ min: 1, max: 10_000 }),
        batchSize: fc.integer({ min: 1, max: 4096 }),
        optimizer: fc.constantFrom('adam', 'sgd', 'adamw', { type: 'sgd', nesterov: true }),
        schedule: fc.constantFrom('constant', 'triangular', 'step', 'cosine', 'one-cycle', {
          type: 'triangular',
          peak: 0.4,
        }),
        clipping: fc.constantFrom('none', 'global', { type: 'layer', limit: 3 }, 'adaptive'),
        labelSmoothing: fc.constantFrom(0, 0.1),
        weightAverage: fc.constantFrom('none', {}, { decay: 0.99, warmUp: false, statistics: 'trained' }),
        watch: fc.oneof(
          fc.constant('off'),
          fc.record(
            { everySteps: fc.integer({ min: 1, max: 99 }), onCollapse: fc.constantFrom('tell', 'stop', 'roll-back') },
            { requiredKeys: [] },
          ),
        ),
        augmentation: fc.record({ crop: fc.integer({ min: 0, max: 16 }), flip: fc.boolean() }),
      },
      { requiredKeys: [] },
    ),
    observe: fc.record({ tensorboard: fc.boolean() }, { requiredKeys: [] }),
    checkpoints: fc.record({
      keep: fc.oneof(
        fc.constant('all'),
        fc.record(
          {
            last: fc.integer({ min: 1, max: 10_000 }),
            everyEpochs: fc.nat(10_000),
            best: fc.boolean(),
          },
          { requiredKeys: [] },
        ),
      ),
    }),
    evaluation: fc.array(fc.record({ attack: fc.constant('pgd'), steps: fc.integer({ min: 1, max: 100 }) }), {
      maxLength: 3,
    }),
    seed: fc.integer({ min: 0, max: 0xffff_ffff }),
    runtime: fc.constantFrom(
      'auto',
      'wasm',
      'torch',
      'tensorflow',
      'cpu',
      { type: 'torch', device: 'cuda:1' },
      { type: 'torch', tf32: true },
      { type: 'torch', device: 'cuda', tf32: true },
      { type: 'torch', device: 'auto' },
    ),
    threads: fc.oneof(fc.constant('auto'), fc.integer({ min: 1, max: 256 })),
  },
  { requiredKeys: [] },
);
