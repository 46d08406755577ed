// The networks an experiment may name. Section numbers: Peconi (2020). Their layers are in server/model/layout.ts.
import { number, variants } from './setting.ts';

const residual =
  'conv 16, three stages of blocks of two convolutions (16, 32, 64 channels), global average pooling, dense 10';

export const networkSetting = variants(
  'The architecture.',
  'type',
  {
    light: {
      description: 'Light CNN (§6.1): 2 × conv 32, 2 × conv 64, global average pooling, dense 128, dense 10.',
      keys: {},
    },
    vgg: {
      description: 'VGG-inspired CNN (§7.1): 2 × conv 32, 2 × conv 64, 2 × conv 128, dense 128, dense 10.',
      keys: {},
    },
    resnet20: { description: `Residual network of depth 20 (§7.2): ${residual}.`, keys: {} },
    resnet56: { description: `Residual network of depth 56 (§7.2): ${residual}.`, keys: {} },
    resnet: {
      description: `Residual network of any depth (7.1): ${residual}.`,
      keys: {
        depth: number('6n + 2, with n blocks a stage.', { min: 8, max: 1202 }, 20, {
          isInteger: true,
          unit: 'layers',
        }),
      },
    },
  },
  'light',
  {
    mlp: { description: 'Fully connected network.' },
    cnn5: { description: 'Five convolutions of 150 filters.' },
    'preact-resnet18': { description: 'Pre-activation residual network of depth 18.' },
  },
);
