# Two updates of a toy network by every training method, written from the published pseudo-code in float64, GradAlign by double
# backpropagation. Draws come from Philox 4x32-10 as the product makes them, written again here.
import numpy as np
import torch
import torch.nn.functional as F

import golden

BATCH, SIDE, CLASSES, UPDATES = 4, 6, 3, 2
LABELS = torch.tensor([0, 2, 1, 2])
EPSILON_BN, SEED = 1e-3, 7
LEARNING_RATE, MOMENTUM = 0.05, 0.9
ATTACK_STREAM = 0x0006_0000
# No pixel's gradient may be nearer to 0 than this share of the largest, or float32 may step the other way.
MARGIN = 1e-5
SHAPES = {
    "conv1.kernel": (3, 3, 3, 4), "conv1.bias": (4,), "bn1.gamma": (4,), "bn1.beta": (4,), "dense1.kernel": (4, CLASSES), "dense1.bias": (CLASSES,),
}  # fmt: skip
SCALES = {"conv1.kernel": 0.5, "conv1.bias": 0.1, "bn1.gamma": 0.2, "bn1.beta": 0.1, "dense1.kernel": 1.0, "dense1.bias": 0.1}
CENTRES = {"bn1.gamma": 1.0}


def philox(n, stream, counter):
    """The first n words of the key (seed, stream, counter)."""
    mask = np.uint64(0xFFFFFFFF)
    blocks = -(-n // 4)
    a, b, c, d = (np.arange(blocks, dtype=np.uint64), np.full(blocks, counter, np.uint64), np.full(blocks, stream, np.uint64), np.zeros(blocks, np.uint64))
    left, right = np.uint64(SEED), np.uint64(0)
    for _ in range(10):
        first, second = a * np.uint64(0xD2511F53), c * np.uint64(0xCD9E8D57)
        a, b, c, d = (second >> np.uint64(32)) ^ b ^ left, second & mask, (first >> np.uint64(32)) ^ d ^ right, first & mask
        left, right = (left + np.uint64(0x9E3779B9)) & mask, (right + np.uint64(0xBB67AE85)) & mask
    return np.stack([a, b, c, d], 1).reshape(-1)[:n]


def uniform(shape, low, high, stream, counter):
    u = (philox(int(np.prod(shape)), stream, counter) >> np.uint64(8)).astype(np.float64) / 2**24
    low32, width = np.float32(low), np.float32(high - low)
    return torch.from_numpy((low32 + (width * u).astype(np.float32)).astype(np.float64).reshape(shape))


def normal(shape, std, stream, counter):
    n = int(np.prod(shape))
    words = philox(4 * -(-n // 4), stream, counter).astype(np.float64).reshape(-1, 2)
    radius, angle = std * np.sqrt(-2 * np.log((words[:, 0] + 1) / 2**32)), 2 * np.pi * words[:, 1] / 2**32
    values = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)[:n]
    return torch.from_numpy(values.astype(np.float32).astype(np.float64).reshape(shape))


class Toy:
    """Convolution, batch normalisation, Swish, mean over pixels, dense layer; and the running statistics."""

    def __init__(self):
        self.weights = {}
        for index, (name, shape) in enumerate(SHAPES.items()):
            values = golden.float32(CENTRES.get(name, 0.0) + SCALES[name] * golden.hashed(1 + index, int(np.prod(shape)))).reshape(shape)
            self.weights[name] = values.requires_grad_()
        self.mean, self.variance = torch.zeros(4), torch.ones(4)
        self.passes = []

    def __call__(self, x, mode, moves=False):
        w = self.weights
        z = golden.conv2d(x, w["conv1.kernel"], w["conv1.bias"])
        rows = z.reshape(-1, 4)
        mean, variance = (self.mean, self.variance) if mode == "running" else (rows.mean(0), rows.var(0, unbiased=False))
        if moves:
            self.passes.append((rows.mean(0).detach(), rows.var(0, unbiased=True).detach()))
        z = (z - mean) / torch.sqrt(variance + EPSILON_BN) * w["bn1.gamma"] + w["bn1.beta"]
        return F.silu(z).mean((1, 2)) @ w["dense1.kernel"] + w["dense1.bias"]

    def move_statistics(self, update):
        momentum = (update - 1) / (update + 9)
        for mean, variance in self.passes:
            self.mean = self.mean * momentum + mean * (1 - momentum)
            self.variance = self.variance * momentum + variance * (1 - momentum)
        self.passes = []


class Margins:
    """How near a decision was to going the other way."""

    nearest = 1.0

    def sign(self, gradient):
        size = gradient.abs()
        self.nearest = min(self.nearest, (size.min() / size.max()).item())
        return gradient.sign()

    def greater(self, a, b):
        self.nearest = min(self.nearest, ((a - b).abs() / (a + b)).min().item())
        return a > b


margins = Margins()


def images_of(step):
    n = BATCH * SIDE * SIDE * 3
    return golden.float32((golden.hashed(1000 + step, n) + 1) / 2).reshape(BATCH, SIDE, SIDE, 3)


def input_gradient(toy, x, y, options, create_graph=False):
    """By the statistics that the method was given for attack passes."""
    x = x.detach().requires_grad_()
    mode = "running" if options["statistics"] == "running" else "batch"
    loss = F.cross_entropy(toy(x, mode, options["statistics"] == "moving"), y, reduction="sum")
    return torch.autograd.grad(loss, x, create_graph=create_graph)[0]


def l2(x):
    return x.flatten(1).norm(dim=1).reshape(-1, 1, 1, 1)


def project(x, clean, norm, epsilon):
    delta = x - clean
    delta = delta.clamp(-epsilon, epsilon) if norm == "linf" else delta * (epsilon / l2(delta).clamp(min=epsilon))
    return (clean + delta).clamp(0, 1)


def direction(gradient, norm):
    return margins.sign(gradient) if norm == "linf" else gradient / l2(gradient)


def start(clean, kind, norm, epsilon, step, draw=0):
    if kind == "zero":
        return clean.clone()
    stream = ATTACK_STREAM + 2 * draw
    if norm == "linf":
        x = clean + uniform(clean.shape, -epsilon, epsilon, stream, step)
    else:
        drawn = normal(clean.shape, 1.0, stream, step)
        share = uniform((clean.shape[0],), 0, 1, stream + 1, step).reshape(-1, 1, 1, 1)
        x = clean + drawn / l2(drawn) * share ** (1 / clean[0].numel()) * epsilon
    return x.clamp(0, 1) if kind == "image" else x


def ascend(toy, x, clean, y, options, norm, epsilon, alpha):
    return project(x + alpha * direction(input_gradient(toy, x, y, options), norm), clean, norm, epsilon)


def pgd(toy, clean, y, options, norm, epsilon, alpha, step, draw=0):
    x = start(clean, options["start"], norm, epsilon, step, draw)
    for _ in range(options["steps"]):
        x = ascend(toy, x, clean, y, options, norm, epsilon, alpha)
    return x


def plain(toy, x, y):
    logits = toy(x, "batch", True)
    return F.cross_entropy(logits, y), logits, y


def losses(toy, x, y, options):
    mode = "running" if options["statistics"] == "running" else "batch"
    return F.cross_entropy(toy(x, mode, options["statistics"] == "moving"), y, reduction="none").detach()


def loss_of(toy, method, options, threat, clean, y, step):
    """What one update minimises, with the logits and labels that its accuracy is of."""
    norm, epsilon, alpha = threat["norm"], threat["epsilon"], threat["stepSize"]
    if method == "standard":
        return plain(toy, clean, y)
    if method == "fgsm":
        return plain(toy, ascend(toy, clean, clean, y, options, norm, epsilon, alpha), y)
    if method == "fgsm-rs":
        return plain(toy, ascend(toy, start(clean, options["start"], norm, epsilon, step), clean, y, options, norm, epsilon, alpha), y)
    if method == "n-fgsm":
        noisy = start(clean, options["start"], norm, options["noise"] * epsilon, step)
        return plain(toy, (noisy + alpha * margins.sign(input_gradient(toy, noisy, y, options))).clamp(0, 1), y)
    if method == "pgd":
        return plain(toy, pgd(toy, clean, y, options, norm, epsilon, alpha, step), y)
    if method == "trades":
        mode = "running" if options["statistics"] == "running" else "batch"
        target = F.softmax(toy(clean, mode).detach(), 1)
        x = clean + normal(clean.shape, options["noise"], ATTACK_STREAM, step)
        for _ in range(options["steps"]):
            x = x.detach().requires_grad_()
            gradient = torch.autograd.grad(F.kl_div(F.log_softmax(toy(x, mode), 1), target, reduction="sum"), x)[0]
            x = project(x + alpha * margins.sign(gradient), clean, norm, epsilon)
        natural = toy(clean, "batch", True)
        attacked = toy(x.detach(), "batch", True)
        apart = F.kl_div(F.log_softmax(attacked, 1), F.softmax(natural, 1), reduction="batchmean")
        return F.cross_entropy(natural, y) + options["beta"] * apart, natural, y
    if method == "gradalign":
        gradient = input_gradient(toy, clean, y, options, create_graph=True)
        there = input_gradient(toy, start(clean, "ball", norm, epsilon, step), y, options, create_graph=True)
        attacked = project(clean + alpha * margins.sign(gradient.detach()), clean, norm, epsilon)
        here = gradient if options["through"] == "both" else gradient.detach()
        cosine = F.cosine_similarity(here.flatten(1), there.flatten(1), dim=1, eps=1e-30)
        loss, logits, labels = plain(toy, attacked, y)
        return (loss, options["lambda"] * (1 - cosine.mean())), logits, labels
    if method == "ensemble":
        balls = [(norm, epsilon, alpha), ("l2", options["l2Epsilon"], options["l2StepSize"])]
        if options["combine"] == "msd":
            x = start(clean, options["start"], norm, epsilon, step)
            for _ in range(options["steps"]):
                gradient = input_gradient(toy, x, y, options)
                a, b = (project(x + size * direction(gradient, of), clean, of, radius) for of, radius, size in balls)
                # The second is looked at first, as in the product; which of the two moves statistics first could be told.
                of_b, of_a = losses(toy, b, y, options), losses(toy, a, y, options)
                x = torch.where(margins.greater(of_b, of_a).reshape(-1, 1, 1, 1), b, a)
            return plain(toy, x, y)
        a, b = (pgd(toy, clean, y, options, *ball, step, draw) for draw, ball in enumerate(balls))
        if options["combine"] == "average":
            return plain(toy, torch.cat([a, b]), torch.cat([y, y]))
        of_b, of_a = losses(toy, b, y, options), losses(toy, a, y, options)
        return plain(toy, torch.where(margins.greater(of_b, of_a).reshape(-1, 1, 1, 1), b, a), y)
    raise ValueError(method)


def free_update(toy, threat, clean, y, delta):
    """Shafahi et al. (2019), algorithm 1, one pass: gradients of the weights, and the next δ."""
    x = (clean + delta).detach().requires_grad_()
    logits = toy(x, "batch", True)
    loss = F.cross_entropy(logits, y)
    *of_weights, of_input = torch.autograd.grad(loss, [*toy.weights.values(), x])
    moved = (x + threat["stepSize"] * margins.sign(of_input) - clean).clamp(-threat["epsilon"], threat["epsilon"])
    return loss, logits, of_weights, ((clean + moved).clamp(0, 1) - clean).detach()


def train(method, options, threat):
    toy = Toy()
    optimizer = torch.optim.SGD(list(toy.weights.values()), lr=LEARNING_RATE, momentum=MOMENTUM)
    delta, updates = torch.zeros(BATCH, SIDE, SIDE, 3), []
    for step in range(UPDATES):
        # Free training makes both updates on one batch.
        clean = images_of(0 if method == "free" else step)
        if method == "free":
            loss, logits, gradients, delta = free_update(toy, threat, clean, LABELS, delta)
            y = LABELS
        else:
            loss, logits, y = loss_of(toy, method, options, threat, clean, LABELS, step)
            loss, penalty = loss if isinstance(loss, tuple) else (loss, 0.0)
            gradients = torch.autograd.grad(loss + penalty, list(toy.weights.values()))
        for weight, gradient in zip(toy.weights.values(), gradients):
            weight.grad = gradient.detach()
        optimizer.step()
        toy.move_statistics(step + 1)
        accuracy = (logits.argmax(1) == y).double().mean().item()
        updates.append({"loss": loss.item(), "accuracy": accuracy, "gradients": dict(zip(SHAPES, (g.detach() for g in gradients)))})
    return {
        "method": {"type": method, **options}, "threat": None if method == "standard" else threat, "updates": updates,
        "weights": {name: weight.detach() for name, weight in toy.weights.items()},
        "statistics": {"bn1.mean": toy.mean, "bn1.variance": toy.variance}, "delta": delta if method == "free" else None,
    }  # fmt: skip


LINF = {"norm": "linf", "epsilon": 8 / 255, "stepSize": 10 / 255}
SMALL = {"norm": "linf", "epsilon": 8 / 255, "stepSize": 3 / 255}
L2 = {"norm": "l2", "epsilon": 0.5, "stepSize": 0.2}
BOTH = {"steps": 3, "l2Epsilon": 0.5, "l2StepSize": 0.2, "statistics": "batch"}
CASES = [
    ("standard", {}, LINF),
    ("fgsm", {"statistics": "batch"}, LINF),
    ("fgsm-rs", {"start": "ball", "statistics": "batch"}, LINF),
    ("fgsm-rs", {"start": "image", "statistics": "moving"}, LINF),
    ("n-fgsm", {"noise": 2, "start": "image", "statistics": "batch"}, SMALL),
    ("pgd", {"steps": 3, "start": "image", "statistics": "batch"}, SMALL),
    ("pgd", {"steps": 3, "start": "ball", "statistics": "running"}, SMALL),
    ("pgd", {"steps": 2, "start": "zero", "statistics": "moving"}, SMALL),
    ("pgd", {"steps": 3, "start": "image", "statistics": "batch"}, L2),
    ("free", {"replays": 2}, {**LINF, "stepSize": 8 / 255}),
    ("trades", {"beta": 6, "steps": 3, "noise": 0.05, "statistics": "running"}, SMALL),
    ("trades", {"beta": 6, "steps": 2, "noise": 0.05, "statistics": "batch"}, SMALL),
    ("gradalign", {"lambda": 0.5, "through": "random", "statistics": "batch"}, LINF),
    ("gradalign", {"lambda": 0.5, "through": "both", "statistics": "batch"}, LINF),
    ("gradalign", {"lambda": 0.5, "through": "random", "statistics": "moving"}, LINF),
    ("ensemble", {**BOTH, "combine": "max", "start": "image"}, SMALL),
    ("ensemble", {**BOTH, "combine": "average", "start": "zero"}, SMALL),
    ("ensemble", {**BOTH, "combine": "msd", "start": "zero"}, SMALL),
]
runs = []
for case in CASES:
    margins.nearest = 1.0
    runs.append(train(*case))
    print(f"{case[0]}: nearest decision {margins.nearest:.1e}")
    assert margins.nearest > MARGIN, "choose other images"
shapes = [{"name": name, "shape": list(shape), "scale": SCALES[name], "centre": CENTRES.get(name, 0.0)} for name, shape in SHAPES.items()]
content = {"labels": LABELS.tolist(), "side": SIDE, "learningRate": LEARNING_RATE, "momentum": MOMENTUM, "parameters": shapes, "runs": runs}
golden.write("methods", SEED, content)
