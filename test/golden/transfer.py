# Transfer, written anew in PyTorch: PGD on one small network (a dense layer, Swish, a dense layer), and what a second one says of the
# images after every step. The seed is one whose gradients stay clear of 0 and whose answers are no ties, so that float32 takes every
# sign and every answer as float64 does, and by which some images fall and some stand.
import numpy as np
import torch

import golden

SHAPE, HIDDEN, CLASSES = (4, 4, 3), 10, 5
SIZE, IMAGES, STEPS = int(np.prod(SHAPE)), 6, 5
SMALLEST = 1e-5


def make_network(rng, like=None):
    def drawn(name, width, shape):
        own = rng.normal(0, width, shape)
        # Networks for one task are alike; of two that are not nothing transfers.
        return golden.float32(own if like is None else 0.7 * like[name].numpy() + 0.7 * own)

    weights = {
        "kernel": drawn("kernel", 0.6, (SIZE, HIDDEN)),
        "bias": drawn("bias", 0.3, HIDDEN),
        "lastKernel": drawn("lastKernel", 0.8, (HIDDEN, CLASSES)),
        "lastBias": drawn("lastBias", 0.2, CLASSES),
    }

    def network(x):
        hidden = x.reshape(len(x), -1) @ weights["kernel"] + weights["bias"]
        return torch.nn.functional.silu(hidden) @ weights["lastKernel"] + weights["lastBias"]

    return weights, network


def margin(z, y):
    own = z.gather(1, y[:, None])[:, 0]
    others = z.scatter(1, y[:, None], -np.inf)
    return others.max(1).values - own


def cross_entropy(z, y):
    return torch.nn.functional.cross_entropy(z, y, reduction="none")


def length(values):
    return values.reshape(len(values), -1).norm(dim=1).reshape(-1, 1, 1, 1)


def attack(seed, norm, loss_name, momentum):
    rng = np.random.default_rng(seed)
    weights, judge = make_network(rng)
    other_weights, surrogate = make_network(rng, weights)
    epsilon, step_size = (0.06, 0.02) if norm == "linf" else (0.4, 0.12)
    clean = golden.float32(rng.uniform(0, 1, (IMAGES, *SHAPE)))
    labels = judge(clean).argmax(1)
    noise = golden.float32(rng.uniform(-0.05, 0.05, clean.shape))
    start = golden.float32((clean + noise).clamp(0, 1).numpy())
    loss = margin if loss_name == "margin" else cross_entropy
    x, direction, smallest = start, torch.zeros_like(start), np.inf
    trajectory, answers = [x], [judge(x)]
    for _ in range(STEPS):
        x = x.detach().requires_grad_()
        loss(surrogate(x), labels).sum().backward()
        gradient = x.grad
        if momentum > 0:
            gradient = momentum * direction + gradient / gradient.abs().sum((1, 2, 3), keepdim=True)
            direction = gradient
        smallest = min(smallest, gradient.abs().min().item() * (SIZE if momentum > 0 else 1))
        x = x.detach()
        if norm == "linf":
            x = (clean + (x + step_size * gradient.sign() - clean).clamp(-epsilon, epsilon)).clamp(0, 1)
        else:
            offset = x + step_size * gradient / length(gradient) - clean
            x = (clean + offset * (epsilon / length(offset)).clamp(max=1)).clamp(0, 1)
        trajectory.append(x)
        answers.append(judge(x))
    logits = torch.stack(answers)
    ordered = logits.sort(-1, descending=True).values
    tie = (ordered[..., 0] - ordered[..., 1]).min().item()
    fooled = logits.argmax(-1) != labels
    is_clear = smallest > SMALLEST and tie > 1e-3 and 2 <= fooled[-1].sum() <= IMAGES - 2
    # An image that falls on the way and stands at the end tells the two ways of judging apart.
    is_clear = is_clear and bool((fooled.any(0) & ~fooled[-1]).any() or norm == "l2" or loss_name != "margin")
    return is_clear, {
        "seed": seed, "norm": norm, "loss": loss_name, "momentum": momentum, "epsilon": epsilon, "stepSize": step_size,
        "judge": weights, "surrogate": other_weights, "shape": list(SHAPE),
        "clean": clean, "labels": labels, "start": start,
        "trajectory": torch.stack(trajectory), "fooled": fooled.long(),
    }  # fmt: skip


cases = []
for case in (("linf", "margin", 0), ("linf", "cross-entropy", 0), ("l2", "margin", 0), ("linf", "margin", 0.9)):
    cases.append(next(one for clear, one in (attack(seed, *case) for seed in range(1, 50000)) if clear))
golden.write("transfer", [case["seed"] for case in cases], {"cases": cases})
