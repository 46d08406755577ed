# Batch normalisation in training, with gradients and the batch's statistics.
import numpy as np

import golden

SEED = 20201004
EPSILON = 1e-3
rng = np.random.default_rng(SEED)
cases = []
for shape, shift in (((4, 3, 3, 5), 0.0), ((2, 5, 4, 1), 3.0), ((17, 8), -20.0)):
    x = golden.float32(rng.normal(shift, 1.5, shape)).requires_grad_()
    gamma = golden.float32(rng.normal(1, 0.5, shape[-1])).requires_grad_()
    beta = golden.float32(rng.normal(0, 0.5, shape[-1])).requires_grad_()
    dy = golden.float32(rng.normal(0, 1, shape))
    y = golden.batch_norm(x, gamma, beta, EPSILON)
    y.backward(dy)
    rows = x.detach().reshape(-1, shape[-1])
    cases.append(
        {
            "epsilon": EPSILON, "x": x, "gamma": gamma, "beta": beta, "dy": dy, "y": y,
            "mean": rows.mean(0), "variance": rows.var(0, correction=0),
            "dx": x.grad, "dgamma": gamma.grad, "dbeta": beta.grad,
        }
    )  # fmt: skip
golden.write("batchNorm", SEED, {"cases": cases})
