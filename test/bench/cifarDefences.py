# Every training method on the light network with Swish by PyTorch, with the settings of cifarDefences.ts, on the first images of CIFAR-10's
# binary version: python cifarDefences.py --data FOLDER --results FILE.jsonl [--samples N] [--epochs N] [--seeds N] [--minutes N]
# [--only METHOD[,METHOD]]. Adds a line a run; what is there already is not trained again. The same initial distributions, other draws: what
# is compared is final figures. Each method is written from its paper, GradAlign by double backpropagation.
import argparse
import json
import pathlib
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

EPSILON, L2_EPSILON = 8 / 255, 0.5


def read(folder, name, count):
    records = np.fromfile(pathlib.Path(folder) / name, dtype=np.uint8).reshape(-1, 3073)[:count]
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0]


def read_train(folder, count):
    parts = [read(folder, f"data_batch_{i}.bin", 10_000) for i in range(1, 1 + -(-count // 10_000))]
    images, labels = (np.concatenate(each)[:count] for each in zip(*parts))
    return torch.from_numpy(images).float() / 255, torch.from_numpy(labels).long()


class Norm(nn.BatchNorm2d):
    """Attack passes take the batch's statistics and leave the running ones where they are."""

    moves = True

    def forward(self, x):
        if not self.training:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps)
        kept = (self.running_mean, self.running_var) if self.moves else (None, None)
        return F.batch_norm(x, *kept, self.weight, self.bias, True, self.momentum, self.eps)


def light():
    layers, channels = [], 3
    for width, rate in ((32, 0.2), (64, 0.3)):
        for _ in range(2):
            layers += [nn.Conv2d(channels, width, 3, padding=1), Norm(width, eps=1e-3), nn.SiLU()]
            channels = width
        layers += [nn.MaxPool2d(2), nn.Dropout(rate)]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 128), nn.SiLU(), nn.Dropout(0.4), nn.Linear(128, 10)]
    network = nn.Sequential(*layers)
    for layer in network:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return network


def noise(x, scale=1.0):
    return torch.empty_like(x).uniform_(-scale * EPSILON, scale * EPSILON)


def input_gradient(network, x, y, **how):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(network(x), y, reduction="sum"), x, **how)[0]


def into_linf(moved, x):
    return torch.min(torch.max(moved, x - EPSILON), x + EPSILON).clamp(0, 1)


def length(x):
    return x.flatten(1).norm(dim=1).reshape(-1, 1, 1, 1)


def into_l2(moved, x):
    delta = moved - x
    return (x + delta * (L2_EPSILON / length(delta).clamp(min=L2_EPSILON))).clamp(0, 1)


def attack(network, x, y, steps, adversarial, step=EPSILON / 4):
    """Projected signed steps; the adversarial images after each."""
    for _ in range(steps):
        adversarial = into_linf(adversarial + step * input_gradient(network, adversarial, y).sign(), x)
        yield adversarial


# What each method trains on: the network, a batch, and the perturbation that Free keeps.
def perturbed(network, x, y, method):
    if method == "fgsm-rs":
        adversarial = x + noise(x)
        return into_linf(adversarial + 1.25 * EPSILON * input_gradient(network, adversarial, y).sign(), x)
    if method == "fgsm":
        return into_linf(x + EPSILON * input_gradient(network, x, y).sign(), x)
    if method == "n-fgsm":
        noisy = (x + noise(x, 2)).clamp(0, 1)
        return (noisy + EPSILON * input_gradient(network, noisy, y).sign()).clamp(0, 1)
    if method == "pgd":
        return [*attack(network, x, y, 7, (x + noise(x)).clamp(0, 1))][-1]
    if method == "ensemble":
        both = [[*attack(network, x, y, 7, x)][-1], x]
        for _ in range(7):
            gradient = input_gradient(network, both[1], y)
            both[1] = into_l2(both[1] + L2_EPSILON / 4 * gradient / length(gradient).clamp(min=1e-30), x)
        with torch.no_grad():
            losses = [F.cross_entropy(network(each), y, reduction="none") for each in both]
        return torch.where((losses[1] > losses[0]).reshape(-1, 1, 1, 1), both[1], both[0])
    return x


def still(network, work):
    """Attack passes leave the running statistics where they are."""
    norms = [layer for layer in network if isinstance(layer, Norm)]
    for norm in norms:
        norm.moves = False
    result = work()
    for norm in norms:
        norm.moves = True
    return result


def divergence(logits, others):
    """KL(softmax logits || softmax others), the batch's mean."""
    return F.kl_div(F.log_softmax(others, 1), F.softmax(logits, 1), reduction="batchmean")


def trades(network, x, y):
    network.eval()
    target = network(x).detach()
    adversarial = x + 0.001 * torch.randn_like(x)
    for _ in range(10):
        adversarial.requires_grad_()
        (gradient,) = torch.autograd.grad(divergence(target, network(adversarial)), adversarial)
        adversarial = into_linf(adversarial.detach() + EPSILON / 4 * gradient.sign(), x)
    network.train()
    generator = torch.get_rng_state()
    logits = network(x)
    torch.set_rng_state(generator)  # the same units are dropped
    return F.cross_entropy(logits, y) + 6 * divergence(logits, network(adversarial))


def grad_align(network, x, y):
    def attacked():
        here, there = input_gradient(network, x, y), input_gradient(network, x + noise(x), y, create_graph=True)
        cosine = F.cosine_similarity(here.flatten(1), there.flatten(1))
        return into_linf(x + 1.25 * EPSILON * here.sign(), x), 0.2 * (1 - cosine.mean())

    adversarial, penalty = still(network, attacked)
    return F.cross_entropy(network(adversarial), y) + penalty


def loss_of(network, x, y, method):
    if method == "trades":
        return trades(network, x, y)
    if method == "gradalign":
        return grad_align(network, x, y)
    return F.cross_entropy(network(still(network, lambda: perturbed(network, x, y, method))), y)


METHODS = ("standard", "fgsm", "fgsm-rs", "n-fgsm", "gradalign", "pgd", "free", "trades", "ensemble")
REPLAYS = 8


def train(method, seed, images, labels, epochs, batch=125):
    torch.manual_seed(seed)
    network = light()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    dense = [layer for layer in network if isinstance(layer, nn.Linear)]
    delta = torch.zeros(batch, *images.shape[1:])

    def update(loss):
        optimizer.zero_grad()
        (loss + 0.0012 * sum((layer.weight**2).sum() for layer in dense)).backward()
        optimizer.step()

    for _ in range(epochs):
        for at in torch.randperm(len(images)).split(batch):
            x, y = images[at], labels[at]
            if method != "free":
                update(loss_of(network, x, y, method))
                continue
            for _ in range(REPLAYS):
                adversarial = (x + delta[: len(x)]).requires_grad_()
                update(F.cross_entropy(network(adversarial), y))
                delta[: len(x)] = into_linf(adversarial.detach() + EPSILON * adversarial.grad.sign(), x) - x
    return network.eval()


def evaluate(network, images, labels, batch=125):
    """Right as they are, and right under every step of PGD-20."""
    clean = robust = 0
    for x, y in zip(images.split(batch), labels.split(batch)):
        stands = network(x).argmax(1) == y
        clean += stands.sum().item()
        for adversarial in attack(network, x, y, 20, (x + noise(x)).clamp(0, 1)):
            with torch.no_grad():
                stands &= network(adversarial).argmax(1) == y
        robust += stands.sum().item()
    return clean / len(images), robust / len(images)


parser = argparse.ArgumentParser()
parser.add_argument("--data", required=True)
parser.add_argument("--results", required=True)
parser.add_argument("--samples", type=int, default=10_000)
parser.add_argument("--epochs", type=int, default=4)
parser.add_argument("--seeds", type=int, default=3)
parser.add_argument("--minutes", type=float, default=float("inf"))
parser.add_argument("--only", default=",".join(METHODS))
options = parser.parse_args()
torch.set_num_threads(1)
end = time.monotonic() + 60 * options.minutes
file = pathlib.Path(options.results)
done = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
train_images, train_labels = read_train(options.data, options.samples)
test_images, test_labels = read(options.data, "test_batch.bin", 500)
test_images, test_labels = torch.from_numpy(test_images).float() / 255, torch.from_numpy(test_labels).long()
for seed in range(options.seeds):
    for method in options.only.split(","):
        case = {"by": "torch", "method": method, "seed": seed, "samples": options.samples, "epochs": options.epochs}
        if any(case.items() <= one.items() for one in done) or time.monotonic() > end:
            continue
        network = train(method, seed, train_images, train_labels, options.epochs)
        clean, robust = evaluate(network, test_images, test_labels)
        with file.open("a") as results:
            results.write(json.dumps({**case, "clean": clean, "robust": robust}) + "\n")
