# Five PGD steps against a tiny network: convolution 3x3, KAF, max pooling, flatten, dense. The seed is one whose input
# gradients all stay clear of 0, so that float32 takes every sign as float64 does.
import numpy as np
import torch

import golden

EPSILON, STEP_SIZE, STEPS = 8 / 255, 2 / 255, 5
SMALLEST = 2e-5


def attack(seed, residual):
    rng = np.random.default_rng(seed)
    dictionary, gamma = golden.dictionary_of(20)
    weights = {
        "kernel": golden.float32(rng.normal(0, 0.5, (3, 3, 3, 4))),
        "bias": golden.float32(rng.normal(0, 0.3, 4)),
        "alpha": golden.float32(rng.normal(0, 0.5, (4, 20))),
        "denseKernel": golden.float32(rng.normal(0, 0.5, (2 * 2 * 4, 3))),
        "denseBias": golden.float32(rng.normal(0, 0.3, 3)),
    }
    clean = golden.float32(rng.uniform(0, 1, (2, 4, 4, 3)))
    labels = torch.from_numpy(rng.integers(0, 3, 2))
    x = (clean + golden.float32(rng.uniform(-EPSILON, EPSILON, clean.shape))).clamp(0, 1)
    trajectory, losses, smallest = [x], [], np.inf
    for _ in range(STEPS):
        x = x.detach().requires_grad_()
        hidden = golden.kaf(
            golden.conv2d(x, weights["kernel"], weights["bias"]), weights["alpha"], dictionary, gamma, residual
        )
        logits = golden.max_pool(hidden).reshape(2, -1) @ weights["denseKernel"] + weights["denseBias"]
        sample_losses = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
        sample_losses.sum().backward()
        smallest = min(smallest, x.grad[x.grad != 0].abs().min().item())
        moved = x.detach() + STEP_SIZE * x.grad.sign()
        x = (clean + (moved - clean).clamp(-EPSILON, EPSILON)).clamp(0, 1)
        trajectory.append(x)
        losses.append(sample_losses)
    return smallest, {
        "seed": seed, "base": "swish" if residual else "none", "boundary": 3.0, "gamma": gamma,
        "epsilon": EPSILON, "stepSize": STEP_SIZE,
        **weights, "clean": clean, "labels": labels, "trajectory": trajectory, "losses": losses,
    }  # fmt: skip


cases = []
for residual in (False, True):
    seed = next(seed for seed in range(1, 5000) if attack(seed, residual)[0] > SMALLEST)
    smallest, case = attack(seed, residual)
    cases.append({"smallestGradient": smallest, **case})
golden.write("pgd", [case["seed"] for case in cases], {"cases": cases})
