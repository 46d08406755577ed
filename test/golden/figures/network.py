# Our light network in PyTorch, from a checkpoint of ours: read here byte by byte, computed by PyTorch's own layers (NCHW).
import json
import pathlib
import struct

import numpy as np
import torch
from torch import nn
from torch.nn import functional

EPSILON_BN = 1e-3


def read_safetensors(path):
    """Tensors under `model/` by name, and the plan."""
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        if not name.startswith("model/"):
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        values = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"]).copy()
        tensors[name.removeprefix("model/")] = torch.from_numpy(values)
    return tensors, json.loads(metadata["plan"])


class KafCurves(torch.autograd.Function):
    """Σ α exp(−γ(x − d)²) of each channel by a cubic between knots 1/128 apart, of exact values and slopes there. The gradient
    is the slope of the function itself, by the same cubics."""

    spacing, limit = 1 / 128, 8.0

    @staticmethod
    def tables(alpha, boundary, gamma):
        knots = torch.arange(-KafCurves.limit, KafCurves.limit + 1e-9, KafCurves.spacing, dtype=torch.float64)
        dictionary = torch.linspace(-boundary, boundary, alpha.shape[1], dtype=torch.float64)
        away = knots[:, None] - dictionary
        kernels = torch.exp(-gamma * away**2)
        alpha = alpha.double().T
        value = kernels @ alpha
        slope = (-2 * gamma * away * kernels) @ alpha
        bend = ((4 * gamma**2 * away**2 - 2 * gamma) * kernels) @ alpha
        return [table.T.contiguous().float() for table in (value, slope, bend)]

    @staticmethod
    def cubic(x, values, slopes):
        shape = x.shape
        x = x.transpose(0, 1).reshape(shape[1], -1)
        at = (x.clamp(-KafCurves.limit, KafCurves.limit - 1e-4) + KafCurves.limit) / KafCurves.spacing
        i = at.floor().long()
        t = at - i
        v0, v1 = values.gather(1, i), values.gather(1, i + 1)
        s0, s1 = (slopes.gather(1, j) * KafCurves.spacing for j in (i, i + 1))
        y = v0 + t * (s0 + t * ((3 * (v1 - v0) - 2 * s0 - s1) + t * (2 * (v0 - v1) + s0 + s1)))
        return y.reshape(shape[1], shape[0], *shape[2:]).transpose(0, 1)

    @staticmethod
    def forward(context, x, value, slope, bend):
        context.save_for_backward(x, slope, bend)
        return KafCurves.cubic(x, value, slope)

    @staticmethod
    def backward(context, dy):
        x, slope, bend = context.saved_tensors
        return dy * KafCurves.cubic(x, slope, bend), None, None, None


class Activation(nn.Module):
    def __init__(self, plan, alpha):
        super().__init__()
        self.plan = plan
        if alpha is not None:
            step = 2 * plan["boundary"] / (alpha.shape[1] - 1)
            self.gamma = 1 / (6 * step**2) if plan["gamma"] is None or plan["gamma"] == "auto" else plan["gamma"]
            self.alpha = alpha
            self.tables = KafCurves.tables(alpha, plan["boundary"], self.gamma)

    def forward(self, x):
        match self.plan["type"]:
            case "relu":
                return functional.relu(x)
            case "k-wta":
                flat = x.reshape(len(x), -1)
                kept = max(1, int(self.plan["ratio"] * flat.shape[1]))
                least = flat.topk(kept, 1).values[:, -1:]
                return (flat * (flat >= least)).reshape(x.shape)
            case "kaf":
                return KafCurves.apply(x, *self.tables)


class Light(nn.Module):
    """conv–BN–activation twice, pooling, the same with 64, global mean, dense, activation, dense. Images [n, 3, 32, 32]."""

    def __init__(self, path):
        super().__init__()
        self.weights, self.plan = read_safetensors(path)
        plan = self.plan["model"]["activation"]
        names = iter(name for name in self.weights if name.endswith(".alpha"))
        self.activations = [Activation(plan, self.weights.get(next(names, ""))) for _ in range(5)]
        normalization = self.plan["model"].get("normalization")
        assert normalization is None or "mean" in normalization, normalization
        self.normalization = normalization

    def convolve(self, x, index):
        weights = self.weights
        kernel = weights[f"conv{index}.kernel"].permute(3, 2, 0, 1)
        x = functional.conv2d(x, kernel, weights[f"conv{index}.bias"], padding=1)
        names = (f"bn{index}.{part}" for part in ("mean", "variance", "gamma", "beta"))
        x = functional.batch_norm(x, *(weights[name] for name in names), eps=EPSILON_BN)
        return self.activations[index - 1](x)

    def forward(self, x):
        if self.normalization:
            mean, std = (torch.tensor(self.normalization[part]).reshape(1, 3, 1, 1) for part in ("mean", "std"))
            x = (x - mean) / std
        x = functional.max_pool2d(self.convolve(self.convolve(x, 1), 2), 2)
        x = functional.max_pool2d(self.convolve(self.convolve(x, 3), 4), 2)
        x = x.mean((2, 3)) @ self.weights["dense1.kernel"] + self.weights["dense1.bias"]
        return self.activations[4](x) @ self.weights["dense2.kernel"] + self.weights["dense2.bias"]


def test_images(folder, count):
    """The first test images of CIFAR-10, [n, 3, 32, 32] in [0, 1], and their labels."""
    rows = np.fromfile(pathlib.Path(folder) / "test_batch.bin", np.uint8).reshape(-1, 3073)[:count]
    images = torch.from_numpy(rows[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) / 255)
    return images, torch.from_numpy(rows[:, 0].astype(np.int64))
