# KAFs of other kernels than Gaussian alone, with and without Swish as their base, |x| up to 12 and a few far away; the kernels by
# PyTorch's own functions, gradients by its autograd. A multi-KAF's mixture is in the coefficients.
import numpy as np
import torch

import golden

SEED = 20170713
rng = np.random.default_rng(SEED)

KERNELS = {
    "gaussian": lambda u, gamma: torch.exp(-gamma * u**2),
    "rational-quadratic": lambda u, gamma: 1 - u**2 / (u**2 + 1 / gamma),
    "relu": lambda u, gamma: torch.relu(u),
    "softplus": lambda u, gamma: torch.logaddexp(u, torch.zeros(())),
}

cases = []
mixtures = [[name] for name in KERNELS] + [["relu", "gaussian"], ["softplus", "rational-quadratic", "gaussian"]]
for kernels in mixtures:
    for length, residual in ((5, True), (20, False)):
        dictionary, gamma = golden.dictionary_of(length)
        gamma = golden.plain(gamma)  # the digits that are written
        x = np.concatenate([rng.uniform(-3.5, 3.5, (8, 3)), rng.uniform(-12, 12, (4, 3)), [[-40, 40, 1e-3]]])
        x = golden.float32(x).requires_grad_()
        alpha = golden.float32(rng.normal(0, 0.3, (3, length))).requires_grad_()
        mixture = golden.float32(rng.normal(1, 0.3, (3, len(kernels)))).requires_grad_()
        dy = golden.float32(rng.normal(0, 1, x.shape))
        distances = x[..., None] - dictionary
        y = sum(
            mixture[:, m] * (alpha * KERNELS[name](distances, gamma)).sum(-1) for m, name in enumerate(kernels)
        )
        if residual:
            y = y + torch.nn.functional.silu(x)
        y.backward(dy)
        cases.append(
            {
                "kernels": kernels, "size": length, "boundary": 3.0, "gamma": gamma,
                "base": "swish" if residual else "none",
                "x": x, "alpha": alpha, "mixture": mixture, "dy": dy,
                "y": y, "dx": x.grad, "dalpha": alpha.grad, "dmixture": mixture.grad,
            }
        )  # fmt: skip
golden.write("kernelKaf", SEED, {"cases": cases})
