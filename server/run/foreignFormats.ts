// What a file is that is no safetensors file, by its first bytes.

export interface ForeignFormat {
  /** For people: “it is …”. */
  readonly what: string;
  readonly remedy: string;
}

type Entry = ForeignFormat & { readonly is: (beginning: string) => boolean };

const begins = (text: string) => (beginning: string) => beginning.startsWith(text);
const saveAnew = 'Load it where it was made and save its tensors with safetensors.torch.save_file.';
const saveNumpy = 'Load it in NumPy and save its arrays with safetensors.numpy.save_file.';
const saveKeras = 'Load it in Keras and save its weights with safetensors.numpy.save_file.';

/** The first entry's name, which a zip archive has at byte 30. */
const isZipOf = (name: RegExp) => (beginning: string) =>
  beginning.startsWith('PK\x03\x04') && name.test(beginning.slice(30, 30 + beginning.charCodeAt(26)));

/** By bytes as Latin-1; the first that fits. */
const formats: readonly Entry[] = [
  {
    ...{ is: begins('version https://git-lfs'), what: 'a pointer of Git LFS' },
    remedy: 'Fetch what it points to: git lfs pull.',
  },
  {
    ...{ is: (beginning) => /^\s*<(!doctype html|html|\?xml)/i.test(beginning), what: 'an HTML page' },
    remedy: 'The download answered with a page, as of a login or an error: fetch the file again.',
  },
  {
    ...{ is: (beginning) => /^\s*\{[^]*"weight_map"/.test(beginning), what: 'an index of shards' },
    remedy: 'Open the .safetensors files that it names, beside it.',
  },
  {
    ...{ is: (beginning) => /^\s*[[{]/.test(beginning), what: 'JSON text' },
    remedy: 'Take the .safetensors file that belongs to it.',
  },
  { is: isZipOf(/\.npy$/), what: 'an archive of NumPy arrays (.npz)', remedy: saveNumpy },
  { is: isZipOf(/^(config|metadata)\.json$|\.h5$/), what: 'a model of Keras', remedy: saveKeras },
  { is: isZipOf(/\.pkl$|^[^/]+\/(byteorder|version|data)/), what: 'a checkpoint of PyTorch (zip)', remedy: saveAnew },
  { is: begins('PK\x03\x04'), what: 'a zip archive', remedy: 'Unpack it, and take the .safetensors file.' },
  { is: begins('\x1f\x8b'), what: 'a gzip archive', remedy: 'Unpack it, and take the .safetensors file.' },
  {
    ...{ is: (beginning) => /^\x80[\x02-\x05]/.test(beginning), what: 'a Python pickle, as older PyTorch writes' },
    remedy: `Reading one runs code, so Kafscope does not. ${saveAnew}`,
  },
  { is: begins('\x89HDF\r\n\x1a\n'), what: 'an HDF5 file, as Keras writes', remedy: saveKeras },
  { is: begins('\x93NUMPY'), what: 'a NumPy array (.npy)', remedy: saveNumpy },
  { is: begins('GGUF'), what: 'a GGUF model', remedy: 'Take the .safetensors file that it was made from.' },
  {
    // A version, and the name of the program that wrote it.
    is: (beginning) => /^\x08[\x01-\x20]\x12.\w/.test(beginning),
    ...{ what: 'an ONNX model', remedy: saveAnew },
  },
];

/** @param beginning the file's first bytes, of which 1024 are enough @returns null where it may be a safetensors file */
export function foreignFormat(beginning: Buffer): ForeignFormat | null {
  // The length of a header, which has fewer than 2³² bytes, then the header.
  const isOurs = beginning.length >= 9 && beginning.readUInt32LE(4) === 0 && beginning[8] === 0x7b;
  if (isOurs) return null;
  const text = beginning.toString('latin1');
  return formats.find(({ is }) => is(text)) ?? null;
}
