# FGSM-RS and PGD-AT of the light network with Swish by PyTorch, with the settings of cifarDefences.ts, on the first images of CIFAR-10's
# binary version: python cifarDefences.py --data FOLDER --results FILE.jsonl [--samples N] [--epochs N] [--seeds N] [--minutes N]. Adds a
# line a run; what is there already is not trained again. The same initial distributions, other draws: what is compared is final figures.
import argparse
import json
import pathlib
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

EPSILON = 8 / 255
METHODS = {"fgsm-rs": {"steps": 1, "step": 1.25 * EPSILON}, "pgd": {"steps": 7, "step": EPSILON / 4}}


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


def attack(network, x, y, steps, step, starts_in_image):
    """Projected signed steps from a random start; the adversarial images after each."""
    adversarial = x + torch.empty_like(x).uniform_(-EPSILON, EPSILON)
    if starts_in_image:
        adversarial = adversarial.clamp(0, 1)
    for _ in range(steps):
        adversarial.requires_grad_()
        (gradient,) = torch.autograd.grad(F.cross_entropy(network(adversarial), y), adversarial)
        moved = adversarial.detach() + step * gradient.sign()
        adversarial = torch.min(torch.max(moved, x - EPSILON), x + EPSILON).clamp(0, 1)
        yield adversarial


def train(method, seed, images, labels, epochs, batch=125):
    torch.manual_seed(seed)
    network = light()
    norms = [layer for layer in network if isinstance(layer, Norm)]
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    settings = METHODS[method]
    for _ in range(epochs):
        for at in torch.randperm(len(images)).split(batch):
            x, y = images[at], labels[at]
            for norm in norms:
                norm.moves = False
            *_, adversarial = attack(network, x, y, settings["steps"], settings["step"], method == "pgd")
            for norm in norms:
                norm.moves = True
            penalty = sum((layer.weight**2).sum() for layer in network if isinstance(layer, nn.Linear))
            optimizer.zero_grad()
            (F.cross_entropy(network(adversarial.detach()), y) + 0.0012 * penalty).backward()
            optimizer.step()
    return network.eval()


def evaluate(network, images, labels, batch=125):
    """Right as they are, and right under every step of PGD-20."""
    clean = robust = 0
    for x, y in zip(images.split(batch), labels.split(batch)):
        stands = network(x).argmax(1) == y
        clean += stands.sum().item()
        for adversarial in attack(network, x, y, 20, EPSILON / 4, True):
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
options = parser.parse_args()
torch.set_num_threads(1)
end = time.monotonic() + 60 * options.minutes
file = pathlib.Path(options.results)
done = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
train_images, train_labels = read_train(options.data, options.samples)
test_images, test_labels = read(options.data, "test_batch.bin", 500)
test_images, test_labels = torch.from_numpy(test_images).float() / 255, torch.from_numpy(test_labels).long()
for seed in range(options.seeds):
    for method in METHODS:
        case = {"by": "torch", "method": method, "seed": seed, "samples": options.samples, "epochs": options.epochs}
        if any(case.items() <= one.items() for one in done) or time.monotonic() > end:
            continue
        network = train(method, seed, train_images, train_labels, options.epochs)
        clean, robust = evaluate(network, test_images, test_labels)
        with file.open("a") as results:
            results.write(json.dumps({**case, "clean": clean, "robust": robust}) + "\n")
