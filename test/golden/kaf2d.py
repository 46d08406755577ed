# Two-dimensional KAFs of pairs of channels by the definition, with the tensor of all D² kernels, and autograd.
import numpy as np
import torch

import golden

SEED = 20170714
rng = np.random.default_rng(SEED)
cases = []
for side, channels in ((4, 3), (10, 5)):
    delta = 6.0 / (side - 1)
    gamma = golden.plain(1 / (4 * delta**2))
    grid = torch.linspace(-3, 3, side)
    x = np.concatenate([rng.uniform(-3.5, 3.5, (7, 2 * channels)), rng.uniform(-9, 9, (3, 2 * channels))])
    x = golden.float32(x).requires_grad_()
    alpha = golden.float32(rng.normal(0, 0.3, (channels, side * side))).requires_grad_()
    dy = golden.float32(rng.normal(0, 1, (10, channels)))
    u, v = x[:, :channels, None, None], x[:, channels:, None, None]
    kernels = torch.exp(-gamma * ((u - grid[:, None]) ** 2 + (v - grid[None, :]) ** 2))
    y = (alpha.reshape(channels, side, side) * kernels).sum((-2, -1))
    y.backward(dy)
    cases.append({"side": side, "boundary": 3.0, "gamma": gamma, "x": x, "alpha": alpha, "dy": dy,
                  "y": y, "dx": x.grad, "dalpha": alpha.grad})  # fmt: skip
golden.write("kaf2d", SEED, {"cases": cases})
