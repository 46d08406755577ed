// What is opened in the place of a checkpoint is told by its first bytes.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { foreignFormat } from '../../server/run/foreignFormats.ts';
import { SafetensorsFile } from '../../server/run/safetensors.ts';
import { temporaryFolder } from './scriptedRun.ts';

/** The local header of a zip archive's first entry. */
function zipOf(name: string): Buffer {
  const head = Buffer.alloc(30);
  head.write('PK\x03\x04\x14', 'latin1');
  head.writeUInt16LE(name.length, 26);
  return Buffer.concat([head, Buffer.from(name), Buffer.from('content')]);
}

const pickle = Buffer.from('\x80\x04\x95\n\0\0\0\0\0\0\0}\x94.', 'latin1');

describe('a file of another kind', () => {
  it.each([
    ['a pointer of Git LFS', 'git lfs pull', Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\n')],
    ['an HTML page', 'fetch the file again', Buffer.from('\n<!DOCTYPE html><title>Sign in</title>')],
    ['an index of shards', 'that it names', Buffer.from('{"metadata": {"total_size": 12},\n "weight_map": {}}')],
    ['JSON text', 'belongs to it', Buffer.from('[1, 2, 3, 4, 5, 6]')],
    ['an archive of NumPy arrays (.npz)', 'safetensors.numpy.save_file', zipOf('a.npy')],
    ['a model of Keras', 'in Keras', zipOf('config.json')],
    ['a checkpoint of PyTorch (zip)', 'safetensors.torch.save_file', zipOf('archive/data.pkl')],
    ['a zip archive', 'Unpack it', zipOf('notes.txt')],
    ['a gzip archive', 'Unpack it', Buffer.from('\x1f\x8b\x08 and more', 'latin1')],
    ['a Python pickle, as older PyTorch writes', 'runs code', pickle],
    ['an HDF5 file, as Keras writes', 'in Keras', Buffer.from('\x89HDF\r\n\x1a\n and more', 'latin1')],
    ['a NumPy array (.npy)', 'safetensors.numpy.save_file', Buffer.from('\x93NUMPY\x01\0v\0{}', 'latin1')],
    ['a GGUF model', 'it was made from', Buffer.from('GGUF\x03\0\0\0\0')],
    ['an ONNX model', 'safetensors.torch.save_file', Buffer.from('\x08\x07\x12\x07pytorch', 'latin1')],
  ])('is %s', (what, remedy, bytes) => {
    const file = path.join(temporaryFolder(), 'model.safetensors');
    fs.writeFileSync(file, bytes);
    expect(() => new SafetensorsFile(file)).toThrow(`${file} is no safetensors file: it is ${what}. `);
    expect(() => new SafetensorsFile(file)).toThrow(remedy);
  });

  it('is none that begins as a safetensors file does, whatever its header holds', () => {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(0x3c213c21);
    expect(foreignFormat(Buffer.concat([head, Buffer.from('{"weight_map":{}}')]))).toBeNull();
    // A header of 640 bytes, whose length begins as a pickle does.
    const pickled = Buffer.from('\x80\x02\0\0\0\0\0\0{', 'latin1');
    expect(foreignFormat(pickled)).toBeNull();
    expect(foreignFormat(pickled.subarray(0, 8))?.what).toContain('pickle');
    expect(foreignFormat(Buffer.from('nothing that is known'))).toBeNull();
    expect(foreignFormat(Buffer.alloc(0))).toBeNull();
  });
});
