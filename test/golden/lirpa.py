# Interval bounds by auto-LiRPA of a small ReLU network: convolutions with stride and padding, dense layers; of the logits and of their
# differences. auto-LiRPA 0.3, the newest on PyPI, was written for PyTorch 1; what it asks for by names that PyTorch has moved since
# is given back to it here.
import importlib
import importlib.metadata
import sys

import golden
import numpy as np
import torch
from torch.onnx._internal.torchscript_exporter import utils as exporter
from torch.onnx._internal.torchscript_exporter._globals import GLOBALS

sys.modules.setdefault("numpy.lib.arraysetops", np.lib._arraysetops_impl)
importlib.import_module("torch.onnx.symbolic_helper")._set_opset_version = lambda version: setattr(
    GLOBALS, "export_onnx_opset_version", version
)
importlib.import_module("torch.onnx.utils")._optimize_graph = exporter._optimize_graph
torch._C.Node.__getitem__ = lambda node, key: getattr(node, node.kindOf(key))(key)

from auto_LiRPA import BoundedModule, BoundedTensor, PerturbationLpNorm  # noqa: E402

SEED, CLASSES, SIDE = 7, 4, 8
rng = np.random.default_rng(SEED)
draw = lambda *shape, std: golden.float32(rng.normal(0, std, shape))
weights = {
    "conv1.kernel": draw(3, 3, 2, 5, std=0.3), "conv1.bias": draw(5, std=0.2),
    "conv2.kernel": draw(3, 3, 5, 6, std=0.2), "conv2.bias": draw(6, std=0.2),
    "dense1.kernel": draw(54, 12, std=0.2), "dense1.bias": draw(12, std=0.2),
    "dense2.kernel": draw(12, CLASSES, std=0.4), "dense2.bias": draw(CLASSES, std=0.2),
}  # fmt: skip
images = golden.float32(rng.uniform(0, 1, (3, SIDE, SIDE, 2)))


def layer(of, name, kernel):
    of.weight.data, of.bias.data = kernel.contiguous(), weights[f"{name}.bias"]
    return of


conv = lambda name: weights[f"{name}.kernel"].permute(3, 2, 0, 1)
# Ours are flattened channels last.
flat = weights["dense1.kernel"].reshape(3, 3, 6, 12).permute(3, 2, 0, 1).reshape(12, 54)
model = torch.nn.Sequential(
    layer(torch.nn.Conv2d(2, 5, 3, padding=1), "conv1", conv("conv1")),
    torch.nn.ReLU(),
    layer(torch.nn.Conv2d(5, 6, 3, stride=2), "conv2", conv("conv2")),
    torch.nn.ReLU(),
    torch.nn.Flatten(),
    layer(torch.nn.Linear(54, 12), "dense1", flat),
    torch.nn.ReLU(),
    layer(torch.nn.Linear(12, CLASSES), "dense2", weights["dense2.kernel"].T),
)
x = images.permute(0, 3, 1, 2).contiguous()
bounded = BoundedModule(model, x)
cases = []
for epsilon in (0.0, 1 / 255, 8 / 255, 0.1):
    epsilon = float(np.float32(epsilon))
    ball = PerturbationLpNorm(norm=np.inf, eps=epsilon, x_L=(x - epsilon).clamp(0, 1), x_U=(x + epsilon).clamp(0, 1))
    inside = (BoundedTensor(x, ball),)
    low, high = bounded.compute_bounds(x=inside, method="IBP")
    margins = torch.empty(len(x), CLASSES)
    for y in range(CLASSES):
        others = [k for k in range(CLASSES) if k != y]
        C = torch.zeros(len(x), CLASSES - 1, CLASSES)
        for row, k in enumerate(others):
            C[:, row, y], C[:, row, k] = 1, -1
        margins[:, y] = bounded.compute_bounds(x=inside, method="IBP", C=C)[0].min(1).values
    cases.append({"epsilon": epsilon, "low": low, "high": high, "margins": margins})
versions = {"auto_LiRPA": importlib.metadata.version("auto_LiRPA")}
golden.write("lirpa", SEED, {"versions": versions, "weights": weights, "images": images, "cases": cases})
