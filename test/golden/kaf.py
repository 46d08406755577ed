# KAF and residual KAF with all gradients, for dictionaries of 5, 20 and 64 and |x| up to 12; then the same with dictionary and
# bandwidth of each channel's own.
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

free_cases = []
for length in (5, 20, 64):
    for residual in (False, True):
        uniform, gamma = golden.dictionary_of(length)
        x = np.concatenate([rng.uniform(-3.5, 3.5, (8, 3)), rng.uniform(-12, 12, (4, 3)), [[-3, 0, 3], [-12, 12, 1e-3]]])
        x = golden.float32(x).requires_grad_()
        alpha = golden.float32(rng.normal(0, 0.3, (3, length))).requires_grad_()
        d = golden.float32(uniform.numpy() + rng.uniform(-2, 2, (3, length)) / length).requires_grad_()
        log_gamma = golden.float32(np.log(gamma) + rng.uniform(-0.5, 0.5, 3)).requires_grad_()
        dy = golden.float32(rng.normal(0, 1, x.shape))
        y = golden.kaf(x, alpha, d, torch.exp(log_gamma)[:, None], residual)
        y.backward(dy)
        free_cases.append(
            {
                "base": "swish" if residual else "none", "size": length,
                "x": x, "alpha": alpha, "dictionary": d, "logGamma": log_gamma, "dy": dy,
                "y": y, "dx": x.grad, "dalpha": alpha.grad, "ddictionary": d.grad, "dlogGamma": log_gamma.grad,
            }
        )  # fmt: skip
golden.write("kaf", SEED, {"cases": cases, "free": free_cases})
