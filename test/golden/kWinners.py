# k-winners-take-all of exactly k values, by PyTorch's stable sort, among all values of a sample and among each channel's; most values
# are ties.
import numpy as np
import torch

import golden

SEED = 20200525
rng = np.random.default_rng(SEED)
cases = []
for shape, over, count in (((3, 40), "layer", 11), ((2, 4, 4, 3), "layer", 20), ((2, 4, 4, 3), "channel", 5), ((3, 9, 6), "channel", 1)):
    x = golden.float32(np.round(rng.normal(0, 1.5, shape))).requires_grad_()
    dy = golden.float32(rng.normal(0, 1, shape))
    rows = x.reshape(shape[0], -1, shape[-1] if over == "channel" else 1)
    winners = torch.sort(rows, dim=1, descending=True, stable=True).indices[:, :count]
    mask = torch.zeros_like(rows).scatter(1, winners, 1.0)
    y = (rows * mask).reshape(shape)
    y.backward(dy)
    cases.append({"over": over, "count": count, "x": x, "dy": dy, "y": y, "dx": x.grad})
golden.write("kWinners", SEED, {"cases": cases})
