# Lipschitz constants under L2 of the layers of ibp.json's network, by numpy: linear layers as whole matrices by singular values, the KAF by
# its steepest place on a fine grid.
import json

import golden
import numpy as np
import torch
import torch.nn.functional as F

source = json.load(open("ibp.json"))
w = {name: np.array(t["values"]).reshape(t["shape"]) for name, t in source["weights"].items()}


def conv_norm(kernel, height, width):
    k = torch.from_numpy(kernel).permute(3, 2, 0, 1)
    eye = torch.eye(k.shape[1] * height * width).reshape(-1, k.shape[1], height, width)
    return float(np.linalg.svd(F.conv2d(eye, k, padding=1).reshape(len(eye), -1).numpy(), compute_uv=False)[0])


x = np.linspace(-8, 8, 400_001)
d = np.linspace(-3, 3, source["kaf"]["dictionary"])
gamma = source["kaf"]["gamma"]
slopes = -2 * gamma * ((x[:, None] - d) * np.exp(-gamma * (x[:, None] - d) ** 2)) @ w["kaf2.alpha"].T
layers = {
    "conv1": conv_norm(w["conv1.kernel"], 6, 6),
    "bn1": float(np.abs(w["bn1.gamma"] / np.sqrt(w["bn1.variance"] + 1e-3)).max()),
    "relu1": 1.0,
    "pool1": 1.0,
    "conv2": conv_norm(w["conv2.kernel"], 3, 3),
    "kaf2": float(np.abs(slopes).max()),
    "flatten1": 1.0,
    "dense1": float(np.linalg.svd(w["dense1.kernel"], compute_uv=False)[0]),
}
kaf_bound = float(np.abs(w["kaf2.alpha"]).sum(1).max() * np.sqrt(2 * gamma / np.e))
golden.write("lipschitz", 3, {"layers": layers, "kafBound": kaf_bound})
