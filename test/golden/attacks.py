# APGD step by step, FAB's projection and DeepFool's distances, written anew in PyTorch from the papers' algorithms, on a small
# network (a dense layer, Swish, a dense layer) whose weights are drawn here.
import numpy as np
import torch

import golden

SHAPE, HIDDEN, CLASSES = (4, 4, 3), 10, 5
SIZE = int(np.prod(SHAPE))
STEPS = 20
RHO, ALPHA = 0.75, 0.75
# Losses of one image that float32 can't tell apart; float64 would call its own rounding a rise.
TIE = 1e-9


def make_network(rng):
    weights = {
        "kernel": golden.float32(rng.normal(0, 0.6, (SIZE, HIDDEN))),
        "bias": golden.float32(rng.normal(0, 0.3, HIDDEN)),
        "lastKernel": golden.float32(rng.normal(0, 0.8, (HIDDEN, CLASSES))),
        "lastBias": golden.float32(rng.normal(0, 0.2, CLASSES)),
    }

    def network(x):
        hidden = x.reshape(len(x), -1) @ weights["kernel"] + weights["bias"]
        return (hidden * torch.sigmoid(hidden)) @ weights["lastKernel"] + weights["lastBias"]

    return weights, network


def cross_entropy(z, y, _):
    return torch.nn.functional.cross_entropy(z, y, reduction="none")


def largest_other(z, y):
    others = z.clone()
    others[torch.arange(len(z)), y] = -np.inf
    return others.max(1).values


def own(z, y):
    return z[torch.arange(len(z)), y]


def dlr(z, y, _):
    ordered = z.sort(1, descending=True).values
    return -(own(z, y) - largest_other(z, y)) / (ordered[:, 0] - ordered[:, 2] + 1e-12)


def targeted_dlr(z, y, t):
    ordered = z.sort(1, descending=True).values
    return -(own(z, y) - own(z, t)) / (ordered[:, 0] - 0.5 * (ordered[:, 2] + ordered[:, 3]) + 1e-12)


def length(values):
    return values.reshape(len(values), -1).norm(dim=1).reshape(-1, 1, 1, 1)


def project(x, clean, norm, epsilon):
    offset = x - clean
    if norm == "linf":
        offset = offset.clamp(-epsilon, epsilon)
    else:
        offset = offset * (epsilon / length(offset).clamp_min(1e-30)).clamp_max(1)
    return (clean + offset).clamp(0, 1)


def apgd(network, clean, y, start, *, norm, epsilon, loss, target=None):
    """Croce & Hein (2020), algorithm 1. Images are not dropped when they fool: each image's way is its own."""

    def look(x):
        x = x.detach().requires_grad_()
        losses = loss(network(x), y, target)
        return torch.autograd.grad(losses.sum(), x)[0], losses.detach()

    n = len(clean)
    checks, at, interval = [], 0, max(1, int(0.22 * STEPS))
    while at + interval <= STEPS:
        at += interval
        checks.append(at)
        interval = max(interval - max(1, int(0.03 * STEPS)), max(1, int(0.06 * STEPS)))
    x, previous = start, start
    gradient, losses = look(x)
    best, best_gradient, best_loss = x.clone(), gradient.clone(), losses.clone()
    eta = torch.full((n,), 2.0 * epsilon)
    was_halved, checked = torch.ones(n, dtype=torch.bool), losses.clone()
    history, since = [losses], 0
    trajectory, etas = [losses], [eta.clone()]
    smallest = np.inf
    # By image: the steps before any two losses are so near one another that float32 might order them otherwise.
    clear = torch.full((n,), STEPS)
    for k in range(STEPS):
        smallest = min(smallest, gradient.abs().min().item())
        direction = gradient.sign() if norm == "linf" else gradient / (length(gradient) + 1e-12)
        z = project(x + eta.reshape(-1, 1, 1, 1) * direction, clean, norm, epsilon)
        share = 1.0 if k == 0 else ALPHA
        following = project(x + share * (z - x) + (1 - share) * (x - previous), clean, norm, epsilon)
        previous, x = x, following
        gradient, losses = look(x)
        differences = torch.stack([(losses - history[-1]).abs(), (losses - best_loss).abs()])
        close = ((differences > TIE) & (differences < 2e-6)).any(0)
        clear = torch.minimum(clear, torch.where(close, k, STEPS))
        history.append(losses)
        better = losses > best_loss + TIE
        best[better], best_gradient[better], best_loss[better] = x[better], gradient[better], losses[better]
        if k + 1 in checks:
            window = history[-(k + 2 - since):]
            rises = sum((window[i + 1] > window[i] + TIE).int() for i in range(len(window) - 1))
            halve = (rises <= RHO * (k + 1 - since)) | (~was_halved & (best_loss <= checked + TIE))
            since, was_halved, checked = k + 1, halve, best_loss.clone()
            eta[halve] /= 2
            x, gradient = x.clone(), gradient.clone()
            x[halve], gradient[halve] = best[halve], best_gradient[halve]
        trajectory.append(losses)
        etas.append(eta.clone())
    return {"losses": torch.stack(trajectory), "etas": torch.stack(etas), "clear": clear}, smallest


def hyperplane(x, w, b, norm):
    """The shortest way onto <w, z> + b = 0 within [0, 1], by bisection for the multiplier."""
    gap = w @ x + b
    away = -torch.sign(gap)
    room = torch.where(w * away > 0, 1 - x, x) * (w != 0)
    speed = torch.ones_like(w) if norm == "linf" else w.abs()
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        if (w.abs() * torch.minimum(middle * speed, room)).sum() < gap.abs():
            low = middle
        else:
            high = middle
    return torch.minimum(high * speed, room) * w.sign() * away


def deepfool(network, clean, y, norm, overshoot=0.02, steps=50):
    """Moosavi-Dezfooli et al. (2016), algorithm 2; distances of the first images that fool."""
    distances, used = [], []
    for image, label in zip(clean, y):
        total = torch.zeros_like(image)
        x = image
        for step in range(1, steps + 1):
            x = x.detach().requires_grad_()
            z = network(x[None])[0]
            found = []
            for k in range(CLASSES):
                if k == label:
                    continue
                w = torch.autograd.grad(z[k] - z[label], x, retain_graph=True)[0]
                f = (z[k] - z[label]).detach().abs()
                dual = w.abs().sum() if norm == "linf" else w.norm()
                found.append((f / dual, w.sign() if norm == "linf" else w / dual))
            distance, way = min(found, key=lambda one: one[0].item())
            total = total + distance * way
            x = (image + (1 + overshoot) * total).clamp(0, 1)
            if network(x[None])[0].argmax() != label:
                break
        offset = (x - image).detach()
        distances.append(offset.abs().max() if norm == "linf" else offset.norm())
        used.append(step)
    return torch.stack(distances), used


def make(seed, with_others=True):
    rng = np.random.default_rng(seed)
    weights, network = make_network(rng)
    clean = golden.float32(np.round(rng.uniform(0, 1, (6, *SHAPE)) * 255) / 255)
    z = network(clean)
    y = z.argmax(1)
    target = z.sort(1, descending=True).indices[:, 1]
    cases, smallest = [], np.inf
    for norm, epsilon in (("linf", 0.02), ("l2", 0.06)):
        start = project(clean + golden.float32(rng.uniform(-epsilon, epsilon, clean.shape)) / 2, clean, norm, epsilon)
        start = golden.float32(start.numpy())
        for name, loss in (("cross-entropy", cross_entropy), ("dlr", dlr), ("targeted dlr", targeted_dlr)):
            way, least = apgd(network, clean, y, start, norm=norm, epsilon=epsilon, loss=loss, target=target)
            smallest = min(smallest, least)
            cases.append({"norm": norm, "epsilon": epsilon, "loss": name, "start": start, **way})
    if not with_others:
        return None, smallest
    planes = []
    for norm in ("linf", "l2"):
        for scale in (0.2, 1.0, 50.0):
            x = golden.float32(rng.uniform(0, 1, SIZE))
            w = golden.float32(rng.normal(0, 1, SIZE))
            w[3] = 0.0
            b = float(np.float32(rng.normal(0, scale)))
            planes.append({"norm": norm, "x": x, "w": w, "b": b, "offset": hyperplane(x, w, b, norm)})
    distances = {norm: deepfool(network, clean, y, norm)[0] for norm in ("linf", "l2")}
    content = {"shape": list(SHAPE), **weights, "clean": clean, "labels": y, "targets": target,
               "apgd": cases, "hyperplanes": planes, "deepfool": distances}  # fmt: skip
    return content, smallest


# A seed with which no gradient of a step is so near 0 that float32 might take its sign otherwise.
seed = next(seed for seed in range(1, 500) if make(seed, with_others=False)[1] > 1e-6)
content, smallest = make(seed)
print(f"seed {seed}: smallest gradient {smallest:.1e}; clear steps {[case['clear'].tolist() for case in content['apgd']]}")
golden.write("attacks", seed, content)
