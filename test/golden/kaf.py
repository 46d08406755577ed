# KAF and residual KAF with all gradients, for dictionaries of 5, 20 and 64 and |x| up to 12.
import numpy as np
import torch

import golden

SEED = 20201002
rng = np.random.default_rng(SEED)
cases = []
for length in (5, 20, 64):
    for residual in (False, True):
        dictionary, gamma = golden.dictionary_of(length)
        x = np.concatenate([rng.uniform(-3.5, 3.5, (8, 3)), rng.uniform(-12, 12, (4, 3)), [[-3, 0, 3], [-12, 12, 1e-3]]])
        x = golden.float32(x).requires_grad_()
        alpha = golden.float32(rng.normal(0, 0.3, (3, length))).requires_grad_()
        dy = golden.float32(rng.normal(0, 1, x.shape))
        d = dictionary.expand(3, length).clone().requires_grad_()
        g = torch.full((3, 1), gamma, requires_grad=True)
        y = golden.kaf(x, alpha, d, g, residual)
        y.backward(dy)
        cases.append(
            {
                "dictionary": length, "boundary": 3.0, "gamma": gamma, "base": "swish" if residual else "none",
                "x": x, "alpha": alpha, "dy": dy,
                "y": y, "dx": x.grad, "dalpha": alpha.grad, "ddictionary": d.grad, "dgamma": g.grad[:, 0],
            }
        )  # fmt: skip
golden.write("kaf", SEED, {"cases": cases})
