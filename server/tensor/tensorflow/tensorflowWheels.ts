// The Python packages that `kafscope install tensorflow` takes TensorFlow's library from, for each platform, with checksums.
// Any Python's pip can fetch them: only libraries are used, so the tag of a Python version (cp312) is as good as another.

export type TensorflowVariant = 'cpu' | 'gpu';

export interface Wheel {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
}

export interface WheelSet {
  /** As pip's `--platform` takes them. */
  readonly platformTags: readonly string[];
  readonly wheels: readonly Wheel[];
  /** In all, rounded; for progress. */
  readonly downloadBytes: number;
  /** Of the libraries in them, rounded up. */
  readonly unpackedBytes: number;
}

export const tensorflowVersion = '2.21.0';

const manylinux = ['2_27', '2_17', '2_12'].map((glibc) => `manylinux_${glibc}_x86_64`);

const sets: Readonly<Record<string, WheelSet>> = {
  'linux-x64 cpu': {
    platformTags: ['manylinux_2_27_x86_64'],
    wheels: [tensorflow('tensorflow-cpu', 'dcc8afd32930e42d5296b6ee19078b773706830af4ea97fbe503b9f5e0f820cb')],
    downloadBytes: 274e6,
    unpackedBytes: 860e6,
  },
  'linux-x64 gpu': {
    platformTags: [...manylinux, 'manylinux2014_x86_64', 'manylinux2010_x86_64', 'manylinux1_x86_64'],
    // What `tensorflow[and-cuda]` requires, at the newest versions that it allowed when this was written.
    wheels: [
      tensorflow('tensorflow', 'b3b95643c4e70eb925839938fb35cbe142f317ec84af6844ee61513713bb13c0'),
      nvidia('cublas', '12.9.3.13', 'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72'),
      nvidia('cuda-cupti', '12.8.90', 'ea0cb07ebda26bb9b29ba82cda34849e73c166c18162d3913575b0c9db9a6182'),
      nvidia('cuda-nvcc', '12.9.86', '5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0'),
      nvidia('cuda-nvrtc', '12.9.86', '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4'),
      nvidia('cuda-runtime', '12.9.79', '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3'),
      nvidia('cudnn', '9.28.0.42', '9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375'),
      nvidia('cufft', '11.4.1.4', 'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28'),
      nvidia('curand', '10.3.10.19', '49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e'),
      nvidia('cusolver', '11.7.5.82', '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88'),
      nvidia('cusparse', '12.5.10.65', '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78'),
      nvidia('nccl', '2.32.3', 'bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c'),
      nvidia('nvjitlink', '12.9.86', 'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9'),
    ],
    downloadBytes: 3.3e9,
    unpackedBytes: 6e9,
  },
  'linux-arm64 cpu': {
    platformTags: ['manylinux_2_27_aarch64'],
    wheels: [tensorflow('tensorflow', 'b07d15737406533898e36c7ef7944b1be18e9028dc521b9229952c537bbc5552')],
    downloadBytes: 280e6,
    unpackedBytes: 1e9,
  },
  'darwin-arm64 cpu': {
    platformTags: ['macosx_12_0_arm64'],
    wheels: [tensorflow('tensorflow', '56ecd7d47429acbe1df2694d50b75bf9fc3995ac92cb367cd9af6c4780ead712')],
    downloadBytes: 280e6,
    unpackedBytes: 1e9,
  },
};

/** Undefined where TensorFlow publishes no such package. `platform` is like `linux-x64`. */
export function wheelSet(platform: string, variant: TensorflowVariant): WheelSet | undefined {
  return sets[`${platform} ${variant}`];
}

function tensorflow(name: string, sha256: string): Wheel {
  return { name, version: tensorflowVersion, sha256 };
}

function nvidia(library: string, version: string, sha256: string): Wheel {
  return { name: `nvidia-${library}-cu12`, version, sha256 };
}
