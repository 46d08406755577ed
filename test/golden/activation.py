# The fixed activations and those with coefficients per channel, with all gradients, for |x| up to 12.
import numpy as np
import torch

import golden

SEED = 20201010
rng = np.random.default_rng(SEED)
functional = torch.nn.functional


def smooth_relu(x, beta):
    return torch.where(x > 0, x - torch.log1p(beta * x.clamp(min=0)) / beta, torch.zeros_like(x))


fixed = [
    ("relu", 0, lambda x, _: functional.relu(x)),
    ("elu", 1.0, lambda x, alpha: functional.elu(x, alpha)),
    ("elu", 1.7, lambda x, alpha: functional.elu(x, alpha)),
    ("swish", 0, lambda x, _: functional.silu(x)),
    ("sigmoid", 0, lambda x, _: torch.sigmoid(x)),
    ("tanh", 0, lambda x, _: torch.tanh(x)),
    ("leaky-relu", 0.01, lambda x, alpha: functional.leaky_relu(x, alpha)),
    ("gelu", 0, lambda x, _: functional.gelu(x)),
    # The threshold is where PyTorch goes over to the identity; float64 needs none here.
    ("softplus", 1.0, lambda x, a: functional.softplus(x, a, threshold=500)),
    ("softplus", 10.0, lambda x, a: functional.softplus(x, a, threshold=500)),
    ("smooth-relu", 1.0, smooth_relu),
    ("smooth-relu", 400.0, smooth_relu),
    ("selu", 0, lambda x, _: functional.selu(x)),
    ("mish", 0, lambda x, _: functional.mish(x)),
    # PyTorch's own has 1/6 of float32 in its gradient, also in float64.
    ("hard-sigmoid", 0, lambda x, _: (x / 6 + 0.5).clamp(0, 1)),
    ("hard-swish", 0, lambda x, _: functional.hardswish(x)),
    ("hard-tanh", 0, lambda x, _: functional.hardtanh(x)),
]
fixed_cases = []
for kind, alpha, op in fixed:
    x = golden.float32(np.concatenate([rng.uniform(-3, 3, 24), rng.uniform(-12, 12, 12), [1e-3, -1e-3, 0.6, -0.7]]))
    x.requires_grad_()
    dy = golden.float32(rng.normal(0, 1, x.shape))
    y = op(x, alpha)
    y.backward(dy)
    fixed_cases.append({"type": kind, "alpha": alpha, "x": x, "dy": dy, "y": y, "dx": x.grad})


def srelu(x, c):
    left, left_slope, right, right_slope = c.unbind(-1)
    inner = torch.where(x <= left, left + left_slope * (x - left), x)
    return torch.where(x >= right, right + right_slope * (x - right), inner)


def apl(x, c):
    a, b = c.chunk(2, -1)
    return functional.relu(x) + (a * functional.relu(b - x[..., None])).sum(-1)


def polynomial(x, c):
    return sum(c[:, power] * x**power for power in range(c.shape[1]))


def pade(x, c):
    above = sum(c[:, power] * x**power for power in range(6))
    return above / (1 + sum(c[:, 5 + power] * x**power for power in range(1, 5)).abs())


def coefficients(*columns):
    """Three channels; a column is drawn around its centre."""
    return np.stack([rng.normal(centre, 0.3, 3) for centre in columns], -1)


channelwise = [
    ("prelu", coefficients(0.25), lambda x, c: functional.prelu(x, c[:, 0])),
    ("generalized-tanh", coefficients(1.7, 1.3), lambda x, c: c[:, 0] * torch.tanh(c[:, 1] * x / 2)),
    ("srelu", coefficients(-1, 0.2, 1, 0.5), srelu),
    ("apl", coefficients(0.2, -0.3, 0, 1), apl),
    ("polynomial", coefficients(0.1, 1, -0.2, 0.05), polynomial),
    ("swish-beta", coefficients(1.3), lambda x, c: x * torch.sigmoid(c[:, 0] * x)),
    ("pssilu", coefficients(1.3, -0.2), lambda x, c: x * (torch.sigmoid(c[:, 0] * x) - c[:, 1]) / (1 - c[:, 1])),
    ("param-softplus", coefficients(3), lambda x, c: functional.softplus(c[:, 0] * x, threshold=500) / c[:, 0]),
    ("snake", coefficients(1.3), lambda x, c: x + torch.sin(c[:, 0] * x) ** 2 / c[:, 0]),
    ("pade", coefficients(0, 0.6, 2.4, 3, 1.5, 0.25, 1.2, 4.4, 0.9, 0.35), pade),
]
channel_cases = []
for kind, values, op in channelwise:
    x = golden.float32(np.concatenate([rng.uniform(-3, 3, (8, 3)), rng.uniform(-6, 6, (4, 3))])).requires_grad_()
    c = golden.float32(values).requires_grad_()
    dy = golden.float32(rng.normal(0, 1, x.shape))
    y = op(x, c)
    y.backward(dy)
    channel_cases.append(
        {"type": kind, "x": x, "coefficients": c, "dy": dy, "y": y, "dx": x.grad, "dcoefficients": c.grad}
    )

# k-winners-take-all as its authors define it: what is at least the k-th largest of a sample stays.
winner_cases = []
for shape, count in (((3, 4, 4, 5), 12), ((4, 17), 1), ((2, 9), 9)):
    x = golden.float32(rng.normal(0, 1, shape)).requires_grad_()
    dy = golden.float32(rng.normal(0, 1, shape))
    rows = x.reshape(shape[0], -1)
    threshold = rows.topk(count, dim=1).values[:, -1:]
    y = (rows * (rows >= threshold)).reshape(shape)
    y.backward(dy)
    winner_cases.append({"count": count, "x": x, "dy": dy, "y": y, "dx": x.grad})

# Maxout over linear maps, as in thesis 4.5: K weight matrices, the largest of their products; the vectors are the maps' values,
# block after block, and what comes back to them.
maxout_cases = []
for maps, units in ((2, 5), (5, 3)):
    inputs = torch.from_numpy(rng.normal(0, 1, (7, 6)))
    values = [inputs @ torch.from_numpy(rng.normal(0, 1, (6, units))) + torch.from_numpy(rng.normal(0, 1, units)) for _ in range(maps)]
    x = golden.float32(torch.cat(values, 1)).requires_grad_()
    dy = golden.float32(rng.normal(0, 1, (7, units)))
    y = torch.stack(x.split(units, 1)).amax(0)
    y.backward(dy)
    maxout_cases.append({"maps": maps, "x": x, "dy": dy, "y": y, "dx": x.grad})

golden.write(
    "activation",
    SEED,
    {"fixed": fixed_cases, "channel": channel_cases, "winners": winner_cases, "maxout": maxout_cases},
)
