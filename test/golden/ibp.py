# Interval bound propagation written anew in PyTorch, float64: convolutions, batch normalisation, ReLU, max pooling, a KAF whose range is
# found by dense sampling, a dense layer; the bounds of the logits and of their differences for three radii.
import golden
import numpy as np
import torch
import torch.nn.functional as F

SEED, D, B, GAMMA, CLASSES = 3, 12, 3.0, 0.8, 4
rng = np.random.default_rng(SEED)
draw = lambda *shape, std=0.4: golden.float32(rng.normal(0, std, shape))
weights = {
    "conv1.kernel": draw(3, 3, 2, 4), "conv1.bias": draw(4),
    "bn1.gamma": golden.float32(rng.uniform(-1, 1.5, 4)), "bn1.beta": draw(4), "bn1.mean": draw(4, std=0.1), "bn1.variance": golden.float32(rng.uniform(0.2, 1.5, 4)),
    "conv2.kernel": draw(3, 3, 4, 3), "conv2.bias": draw(3),
    "kaf2.alpha": draw(3, D, std=0.6),
    "dense1.kernel": draw(27, CLASSES), "dense1.bias": draw(CLASSES),
}
images = golden.float32(rng.uniform(0, 1, (3, 6, 6, 2)))
elements = torch.linspace(-B, B, D)


def conv(x, k, b):
    y = F.conv2d(x.permute(0, 3, 1, 2), k.permute(3, 2, 0, 1), b, padding=1)
    return y.permute(0, 2, 3, 1)


def linear(low, high, apply, bias):
    middle, radius = (low + high) / 2, (high - low) / 2
    y, r = apply(middle, False) + bias, apply(radius, True)
    return y - r, y + r


def kaf(x, alpha):
    return (alpha * torch.exp(-GAMMA * (x[..., None] - elements) ** 2)).sum(-1)


def kaf_range(low, high, alpha):
    t = torch.linspace(0, 1, 8001)
    least, most = torch.empty_like(low), torch.empty_like(low)
    for c in range(low.shape[-1]):
        l, h = low[..., c].reshape(-1, 1), high[..., c].reshape(-1, 1)
        values = kaf(l + (h - l) * t, alpha[c])
        least[..., c] = values.min(1).values.reshape(low.shape[:-1])
        most[..., c] = values.max(1).values.reshape(low.shape[:-1])
    return least, most


def bounds(epsilon):
    w = weights
    low, high = (images - epsilon).clamp(0, 1), (images + epsilon).clamp(0, 1)
    k = lambda name, isAbs: w[name].abs() if isAbs else w[name]
    low, high = linear(low, high, lambda x, a: conv(x, k("conv1.kernel", a), None), w["conv1.bias"])
    scale = w["bn1.gamma"] / (w["bn1.variance"] + 1e-3).sqrt()
    low, high = linear(low, high, lambda x, a: x * (scale.abs() if a else scale), w["bn1.beta"] - w["bn1.mean"] * scale)
    low, high = low.clamp(min=0), high.clamp(min=0)
    pool = lambda x: F.max_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)
    low, high = pool(low), pool(high)
    low, high = linear(low, high, lambda x, a: conv(x, k("conv2.kernel", a), None), w["conv2.bias"])
    low, high = kaf_range(low, high, w["kaf2.alpha"])
    low, high = low.reshape(len(low), -1), high.reshape(len(high), -1)
    logits = linear(low, high, lambda x, a: x @ k("dense1.kernel", a), w["dense1.bias"])
    margins = torch.empty(len(low), CLASSES)
    for y in range(CLASSES):
        rest = []
        for other in range(CLASSES):
            if other == y:
                continue
            d = w["dense1.kernel"][:, y] - w["dense1.kernel"][:, other]
            shift = w["dense1.bias"][y] - w["dense1.bias"][other]
            rest.append(low @ d.clamp(min=0) + high @ d.clamp(max=0) + shift)
        margins[:, y] = torch.stack(rest).min(0).values
    return {"epsilon": epsilon, "low": logits[0], "high": logits[1], "margins": margins}


cases = [bounds(float(np.float32(e))) for e in (0.0, 1 / 255, 8 / 255, 0.1)]
golden.write("ibp", SEED, {"weights": weights, "images": images, "kaf": {"dictionary": D, "boundary": B, "gamma": GAMMA}, "cases": cases})
