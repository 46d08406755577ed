"""The same training steps in PyTorch, with the KAF as it is usually written: a tensor of x's shape times D.

    python torchSteps.py '{"mode": "eager", "threads": 2, "method": "standard", "activation": "kaf"}'

After a line of JSON that says what runs, makes one step for each line it reads and answers its milliseconds, on the clock and of all
threads.
"""
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional

EPSILON = 8 / 255
STEP_SIZE = 10 / 255
BATCH = 128


class Kaf(nn.Module):
    """f(x) = sum_i alpha_i exp(-gamma (x - d_i)^2), one alpha a channel (Scardapane et al. 2017, eq. 6)."""

    def __init__(self, channels, dimensions, dictionary=20, boundary=3.0):
        super().__init__()
        elements = torch.linspace(-boundary, boundary, dictionary)
        delta = 2 * boundary / (dictionary - 1)
        self.gamma = 1 / (6 * delta**2)
        self.register_buffer("elements", elements)
        shape = [1, channels] + [1] * (dimensions - 2) + [dictionary]
        self.alpha = nn.Parameter(0.3 * torch.randn(shape))

    def forward(self, x):
        kernels = torch.exp(-self.gamma * (x.unsqueeze(-1) - self.elements) ** 2)
        return torch.sum(kernels * self.alpha, -1)


class Light(nn.Module):
    """[conv3-32 x2, pool, drop .2][conv3-64 x2, pool, drop .3] GAP, dense128, drop .4, dense10; conv, BN, activation."""

    def __init__(self, activation):
        super().__init__()
        make = {"kaf": Kaf, "swish": lambda *_: nn.SiLU(), "relu": lambda *_: nn.ReLU()}[activation]
        layers = []
        inputs = 3
        for channels, rate in [(32, 0.2), (64, 0.3)]:
            for _ in range(2):
                layers += [nn.Conv2d(inputs, channels, 3, padding=1), nn.BatchNorm2d(channels), make(channels, 4)]
                inputs = channels
            layers += [nn.MaxPool2d(2), nn.Dropout(rate)]
        self.features = nn.Sequential(*layers)
        self.hidden = nn.Linear(inputs, 128)
        self.activation = make(128, 2)
        self.drop = nn.Dropout(0.4)
        self.output = nn.Linear(128, 10)

    def forward(self, x):
        x = self.features(x).mean((2, 3))
        return self.output(self.drop(self.activation(self.hidden(x))))


def main():
    options = json.loads(sys.argv[1])
    torch.manual_seed(0)
    torch.set_num_threads(options["threads"])
    model = Light(options["activation"])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    forward = torch.compile(model) if options["mode"] == "compiled" else model
    images = torch.rand(BATCH, 3, 32, 32)
    labels = torch.randint(0, 10, (BATCH,))

    def step():
        x = images
        if options["method"] == "fgsm-rs":
            delta = (2 * torch.rand_like(images) - 1) * EPSILON
            x = (images + delta).requires_grad_(True)
            (gradient,) = torch.autograd.grad(functional.cross_entropy(forward(x), labels), x)
            delta = (delta + STEP_SIZE * gradient.sign()).clamp(-EPSILON, EPSILON)
            x = (images + delta).clamp(0, 1)
        penalty = 0.0012 * (model.hidden.weight.square().sum() + model.output.weight.square().sum())
        loss = functional.cross_entropy(forward(x), labels) + penalty
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    step()
    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
    for _ in sys.stdin:
        start, cpu_start = time.perf_counter(), time.process_time()
        step()
        times = {"ms": time.perf_counter() - start, "cpuMs": time.process_time() - cpu_start}
        print(json.dumps({key: 1000 * seconds for key, seconds in times.items()}), flush=True)


main()
