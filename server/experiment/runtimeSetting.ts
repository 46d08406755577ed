// What computes the tensors of a run, and on which device.
import { torchDeviceNames, type TorchDeviceName } from '../protocol/plan.ts';
import { flag, variants, word } from './setting.ts';

const deviceWords = Object.fromEntries(
  torchDeviceNames.map((name) => [name, { description: describeDevice(name) }]),
) as Record<TorchDeviceName, { description: string }>;

const torchDevice = word(
  'Where PyTorch computes.',
  {
    auto: {
      description: 'The first of cuda, mps, xpu and cpu that there is; of several GPUs of CUDA the next that is free.',
    },
    ...deviceWords,
  },
  'auto',
);

const tf32 = flag(
  "Whether matrix products and convolutions on an NVIDIA GPU may round their factors to TF32, ten bits of float32's 23: faster, and other figures.",
  false,
);

export const runtimeSetting = variants(
  'What computes the tensors.',
  'type',
  {
    auto: { description: 'The fastest here that passes a self-test.', keys: {} },
    wasm: { description: 'WebAssembly with SIMD.', keys: {} },
    torch: {
      description:
        "The PyTorch of the user's Python, on its GPU where it has one; `kafscope doctor` says which it finds.",
      keys: { device: torchDevice, tf32 },
    },
    tensorflow: {
      description: "TensorFlow's library, on a GPU where it has one; `kafscope doctor` says which it finds.",
      keys: {},
    },
    cpu: { description: 'Plain JavaScript: slow, for comparison.', keys: {} },
  },
  'auto',
  { webgpu: { description: 'Any GPU through WebGPU.' } },
);

function describeDevice(name: TorchDeviceName): string {
  const [type, index] = name.split(':') as ['cuda' | 'mps' | 'xpu' | 'cpu', string | undefined];
  const what = {
    cuda: 'NVIDIA GPU',
    mps: "GPU of a Mac, through Apple's Metal",
    xpu: 'Intel GPU',
    cpu: 'processor, for comparison: wasm is the faster there for networks with KAF',
  }[type];
  return index === undefined || index === '0' ? `The ${what}.` : `The ${what} with the number ${index}, from 0.`;
}
