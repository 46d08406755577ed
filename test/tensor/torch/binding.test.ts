// The binding alone: what it refuses, so that a mistake of ours is an error and never a crash.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { openContractRuntime } from '../ops/runtimes.ts';
import type { Binding, FoundLibrary, Torch } from '../../../server/tensor/torch/torch.ts';
import type { TorchBackend } from '../../../server/tensor/torch/torchBackend.ts';

let torch: Torch;
let binding: Binding;
let codes: FoundLibrary;

beforeAll(async () => {
  await openContractRuntime('torch');
  ({ torch } = tf.backend() as TorchBackend);
  ({ binding, codes } = torch);
});

describe('the binding to PyTorch', () => {
  it('refuses numbers of tensors that are not there, or not any more', () => {
    const tensor = binding.empty([2], codes.float32);
    binding.free(tensor);
    for (const number of [tensor, -1, 1e6]) {
      expect(() => binding.shape(number), String(number)).toThrow('no tensor has this number');
      expect(() => {
        binding.free(number);
      }, String(number)).toThrow('no tensor has this number');
    }
  });

  it('refuses arrays of another size than the tensor’s', () => {
    const tensor = binding.empty([2, 3], codes.float32);
    for (const array of [new Float32Array(5), new Float32Array(7), new Uint8Array(6)]) {
      expect(() => {
        binding.write(tensor, array);
      }).toThrow("the array's size is not the tensor's");
      expect(() => {
        binding.read(tensor, array);
      }).toThrow("the array's size is not the tensor's");
    }
    binding.free(tensor);
  });

  it('refuses arguments that do not fit an operator, and keeps nothing of them', () => {
    const a = binding.empty([2], codes.float32);
    const [multiply, concatenate] = [
      binding.define('aten::mul', 'Tensor', 'tt', 1),
      binding.define('aten::cat', '', 'Li', 1),
    ];
    const before = binding.count();
    expect(() => binding.call(multiply, a)).toThrow(/aten::mul\.Tensor: an argument is missing or does not fit/);
    expect(() => binding.call(multiply, a, a, a)).toThrow(/aten::mul\.Tensor: too many arguments/);
    expect(() => binding.call(multiply, a, 'text')).toThrow('no tensor has this number');
    expect(() => binding.call(concatenate, [a, a], 'text')).toThrow(/aten::cat\.: an argument is missing/);
    expect(() => binding.call(concatenate, a, 0)).toThrow(/aten::cat\.: an argument is missing/);
    expect(() => binding.call(9999)).toThrow('call: expected the number of an operator');
    expect(binding.count()).toBe(before);
    binding.free(a);
  });

  it('gives PyTorch’s own words where it refuses', () => {
    const unknown = binding.define('aten::no_such_operator', '', 't', 1);
    const a = binding.constant(1);
    expect(() => binding.call(unknown, a)).toThrow(/aten::no_such_operator\.: PyTorch refused/);
    binding.free(a);
  });

  it('computes in float32 with the bits that it was given', () => {
    const values = Float32Array.of(0, -0, 1e-45, 3.4e38, Infinity, -Infinity, Number.NaN, 0.1);
    const tensor = binding.empty([values.length], codes.float32);
    binding.write(tensor, values);
    const back = new Float32Array(values.length);
    binding.read(tensor, back);
    expect(new Uint32Array(back.buffer)).toEqual(new Uint32Array(values.buffer));
    binding.free(tensor);
  });
});
