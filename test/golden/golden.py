# What the golden scripts share: where a vector comes from, how it is written, and numbers that TypeScript can make again.
# The scripts need torch and numpy, and run from this folder: `python kaf.py` writes kaf.json.
import json
import pathlib
import platform

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def write(name, seed, content):
    """Writes <name>.json with versions and seed; numbers with nine digits, enough for any float32."""
    made_by = {
        "script": f"{name.split('.')[0]}.py",
        "seed": seed,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    text = json.dumps({"madeBy": made_by, **plain(content)}, separators=(",", ":"))
    path = pathlib.Path(__file__).with_name(f"{name}.json")
    path.write_text(text + "\n")
    print(f"{path.name}: {len(text) / 1000:.0f} kB")


def plain(value):
    """Tensors and arrays become {shape, values}, floats are cut to nine digits."""
    if isinstance(value, torch.Tensor):
        value = value.detach().numpy()
    if isinstance(value, np.ndarray):
        return {"shape": list(value.shape), "values": [plain(one) for one in value.ravel().tolist()]}
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return float(f"{value:.9g}")
    return value


def float32(values):
    """A float64 tensor whose values float32 holds exactly, so that both sides start from the same numbers."""
    return torch.from_numpy(np.asarray(values, dtype=np.float32).astype(np.float64))


def hashed(stream, n):
    """n numbers in [-1, 1): element i hashes the 32-bit integer i + stream * 0x9E3779B9 (Wellons's lowbias32) and takes
    the upper 24 bits u of the hash as 2 * u / 2**24 - 1."""
    mask = np.uint64(0xFFFFFFFF)
    h = (np.arange(n, dtype=np.uint64) + np.uint64(stream * 0x9E3779B9 & 0xFFFFFFFF)) & mask
    h ^= h >> np.uint64(16)
    h = (h * np.uint64(0x7FEB352D)) & mask
    h ^= h >> np.uint64(15)
    h = (h * np.uint64(0x846CA68B)) & mask
    h ^= h >> np.uint64(16)
    return 2 * (h >> np.uint64(8)).astype(np.float64) / 2**24 - 1


def kaf(x, alpha, dictionary, gamma, residual):
    """The definition, with the D-fold tensor; x [..., C], alpha [C, D], dictionary [D] or [C, D], gamma number or [C, 1]."""
    kernels = torch.exp(-gamma * (x[..., None] - dictionary) ** 2)
    y = (alpha * kernels).sum(-1)
    return torch.nn.functional.silu(x) + y if residual else y


def dictionary_of(length, boundary=3.0):
    """Dictionary and gamma = 1 / (6 delta**2)."""
    delta = 2 * boundary / (length - 1)
    return torch.linspace(-boundary, boundary, length), 1 / (6 * delta**2)


def conv2d(x, kernel, bias, stride=1, padding="same"):
    """NHWC convolution with kernel [h, w, in, out]; 'same' as in TensorFlow: the odd pixel of padding comes last."""
    if padding == "same":
        pads = []
        for size, length in ((x.shape[2], kernel.shape[1]), (x.shape[1], kernel.shape[0])):
            total = max((-(-size // stride) - 1) * stride + length - size, 0)
            pads += [total // 2, total - total // 2]
        x = torch.nn.functional.pad(x.permute(0, 3, 1, 2), pads)
    else:
        x = x.permute(0, 3, 1, 2)
    return torch.nn.functional.conv2d(x, kernel.permute(3, 2, 0, 1), bias, stride).permute(0, 2, 3, 1)


def max_pool(x):
    return torch.nn.functional.max_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)


def batch_norm(x, gamma, beta, epsilon):
    rows = x.reshape(-1, x.shape[-1])
    y = torch.nn.functional.batch_norm(rows, None, None, gamma, beta, training=True, eps=epsilon)
    return y.reshape(x.shape)
