"""The same work in PyTorch, with the KAF as it is usually written: a tensor of x's shape times D.

    python torchWork.py '{"mode": "eager", "threads": 2, "kind": "step", "network": "light", "activation": "kaf",
                          "dictionary": 20, "method": "standard", "batchSize": 128}'

After a line of JSON that says what runs, does one piece of work for each line it reads and answers its milliseconds, on the clock
and of all threads, and the most memory that the process has had. Images lie in PyTorch's own order or channels last, whichever is
faster here (with the KAF, which takes most of the time, always in its own).
"""
import json
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional

EPSILON = 8 / 255
STEP_SIZE = 10 / 255
PGD_STEP_SIZE = 2 / 255
PGD_STEPS = 50
# Of the last bias: no image is ever fooled and dropped, so that ours attacks as many images in every step.
MARGIN = 50.0


class Kaf(nn.Module):
    """f(x) = sum_i alpha_i exp(-gamma (x - d_i)^2), one alpha a channel (Scardapane et al. 2017, eq. 6)."""

    def __init__(self, channels, dimensions, dictionary, boundary=3.0):
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


def activation_maker(options):
    if options["activation"] == "kaf":
        return lambda channels, dimensions: Kaf(channels, dimensions, options["dictionary"])
    return {"swish": lambda *_: nn.SiLU(), "relu": lambda *_: nn.ReLU()}[options["activation"]]


class Plain(nn.Module):
    """Light: [conv3-32 x2, pool, drop .2][conv3-64 x2, pool, drop .3] GAP, dense128, drop .4, dense10. VGG: a third block of
    128 and the image flattened. Convolution, batch normalisation, activation."""

    DROPOUTS = {"light": [0.2, 0.3, 0.4], "vgg": [0.2, 0.25, 0.3, 0.4]}

    def __init__(self, network, make):
        super().__init__()
        layers = []
        inputs = 3
        *rates, last_rate = self.DROPOUTS[network]
        for channels, rate in zip((32, 64, 128), rates):
            for _ in range(2):
                layers += [nn.Conv2d(inputs, channels, 3, padding=1), nn.BatchNorm2d(channels), make(channels, 4)]
                inputs = channels
            layers += [nn.MaxPool2d(2), nn.Dropout(rate)]
        self.features = nn.Sequential(*layers)
        self.is_averaged = network == "light"
        self.hidden = nn.Linear(inputs if self.is_averaged else 16 * inputs, 128)
        self.activation = make(128, 2)
        self.drop = nn.Dropout(last_rate)
        self.output = nn.Linear(128, 10)

    def forward(self, x):
        x = self.features(x)
        x = x.mean((2, 3)) if self.is_averaged else x.flatten(1)
        return self.output(self.drop(self.activation(self.hidden(x))))

    def penalty(self):
        return 0.0012 * (self.hidden.weight.square().sum() + self.output.weight.square().sum())


class Block(nn.Module):
    """conv(s), BN, activation, conv, + skip, BN, activation; on the skip a 3x3 convolution where the shape changes."""

    def __init__(self, inputs, channels, stride, make):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, padding=1)
        self.bn1 = nn.BatchNorm2d(channels)
        self.activation1 = make(channels, 4)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.skip = nn.Identity() if stride == 1 else nn.Conv2d(inputs, channels, 3, stride, padding=1)
        self.bn2 = nn.BatchNorm2d(channels)
        self.activation2 = make(channels, 4)

    def forward(self, x):
        branch = self.conv2(self.activation1(self.bn1(self.conv1(x))))
        return self.activation2(self.bn2(branch + self.skip(x)))


class Residual(nn.Module):
    """conv3-16, BN, activation, three stages of n blocks of 16, 32 and 64 channels, GAP, dense10."""

    def __init__(self, depth, make):
        super().__init__()
        layers = [nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), make(16, 4)]
        inputs = 16
        for stage, channels in enumerate((16, 32, 64)):
            for index in range((depth - 2) // 6):
                layers.append(Block(inputs, channels, 2 if stage > 0 and index == 0 else 1, make))
                inputs = channels
        self.features = nn.Sequential(*layers)
        self.output = nn.Linear(inputs, 10)

    def forward(self, x):
        return self.output(self.features(x).mean((2, 3)))

    def penalty(self):
        kernels = [weight for weight in self.parameters() if weight.dim() in (2, 4)]
        return 5e-4 * sum(weight.square().sum() for weight in kernels)


class PreActBlock(nn.Module):
    """BN, activation, conv(s), BN, activation, conv, + skip; where the shape changes a 1x1 convolution of the first activation."""

    def __init__(self, inputs, channels, stride, make):
        super().__init__()
        self.bn1, self.activation1 = nn.BatchNorm2d(inputs), make(inputs, 4)
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, padding=1, bias=False)
        self.bn2, self.activation2 = nn.BatchNorm2d(channels), make(channels, 4)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.skip = None if stride == 1 else nn.Conv2d(inputs, channels, 1, stride, bias=False)

    def forward(self, x):
        active = self.activation1(self.bn1(x))
        skip = x if self.skip is None else self.skip(active)
        return self.conv2(self.activation2(self.bn2(self.conv1(active)))) + skip


class PreActResNet18(nn.Module):
    """conv3-64, two such blocks of 64, 128, 256 and 512 channels each, BN, activation, GAP, dense10 (Wong et al. 2020)."""

    def __init__(self, make):
        super().__init__()
        layers = [nn.Conv2d(3, 64, 3, padding=1, bias=False)]
        widths = [64, 64, 64, 128, 128, 256, 256, 512, 512]
        layers += [PreActBlock(a, b, 2 if a != b else 1, make) for a, b in zip(widths[:-1], widths[1:])]
        self.features = nn.Sequential(*layers, nn.BatchNorm2d(512), make(512, 4))
        self.output = nn.Linear(512, 10)

    def forward(self, x):
        return self.output(self.features(x).mean((2, 3)))

    def penalty(self):
        return 0.0


class Cnn5(nn.Module):
    """Four blocks of conv5-150, activation, pooling over 3x3 with stride 2, dropout .25 (Peconi 2020, Table 4.1); dense10."""

    def __init__(self, make):
        super().__init__()
        layers = []
        for inputs in (3, 150, 150, 150):
            layers += [nn.Conv2d(inputs, 150, 5, padding=2), make(150, 4), nn.MaxPool2d(3, 2), nn.Dropout(0.25)]
        self.features = nn.Sequential(*layers)
        self.output = nn.Linear(150, 10)

    def forward(self, x):
        return self.output(self.features(x).flatten(1))

    def penalty(self):
        kernels = [weight for weight in self.parameters() if weight.dim() in (2, 4)]
        return 1e-4 * sum(weight.square().sum() for weight in kernels)



def make_network(options):
    make = activation_maker(options)
    network = options["network"]
    others = {"resnet20": lambda: Residual(20, make), "preact-resnet18": lambda: PreActResNet18(make), "cnn5": lambda: Cnn5(make)}
    return others[network]() if network in others else Plain(network, make)


def make_work(options, memory_format):
    torch.manual_seed(0)
    model = make_network(options).to(memory_format=memory_format)
    images = torch.rand(options["batchSize"], 3, 32, 32).to(memory_format=memory_format)
    forward = torch.compile(model) if options["mode"] == "compiled" else model
    make = make_attack_step if options["kind"] == "pgd" else make_training_step
    return make(options, model, forward, images)


def make_training_step(options, model, forward, images):
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    labels = torch.randint(0, 10, (len(images),))

    def step():
        x = images
        if options["method"] == "fgsm-rs":
            delta = (2 * torch.rand_like(images) - 1) * EPSILON
            x = (images + delta).requires_grad_(True)
            (gradient,) = torch.autograd.grad(functional.cross_entropy(forward(x), labels), x)
            delta = (delta + STEP_SIZE * gradient.sign()).clamp(-EPSILON, EPSILON)
            x = (images + delta).clamp(0, 1)
        loss = functional.cross_entropy(forward(x), labels) + model.penalty()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def make_attack_step(options, model, forward, images):
    """Worst case: an image that is fooled is dropped at once. The same steps as ours: a look, a gradient, a move."""
    model.eval().requires_grad_(False)
    model.output.bias.copy_(torch.tensor([MARGIN] + [0.0] * 9))
    state = {"step": PGD_STEPS}

    def step():
        if state["step"] == PGD_STEPS:
            noise = (2 * torch.rand_like(images) - 1) * EPSILON
            state.update(step=0, clean=images, moved=(images + noise).clamp(0, 1))
        x = state["moved"].requires_grad_(True)
        logits = forward(x)
        labels = torch.zeros(len(x), dtype=torch.long)
        (gradient,) = torch.autograd.grad(functional.cross_entropy(logits, labels, reduction="sum"), x)
        stands = logits.argmax(1) == labels
        if not bool(stands.all()):
            raise RuntimeError("an image was fooled: the engines no longer do the same work")
        clean, x = state["clean"], x.detach()
        delta = (x + PGD_STEP_SIZE * gradient.sign() - clean).clamp(-EPSILON, EPSILON)
        state.update(step=state["step"] + 1, moved=(clean + delta).clamp(0, 1))

    return step


def timed(work):
    start, cpu_start = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - cpu_start


def warmed_up(options, memory_format):
    """The work, and the time that it takes once it is warm."""
    work = make_work(options, memory_format)
    work()
    if options["activation"] == "kaf":
        return work, 0.0
    work()
    return work, min(timed(work)[0] for _ in range(3))


def main():
    options = json.loads(sys.argv[1])
    torch.set_num_threads(options["threads"])
    torch.set_default_device(options.get("device", "cpu"))
    formats = {"NCHW": torch.contiguous_format}
    if options["activation"] != "kaf":
        formats["channels last"] = torch.channels_last
    candidates = {name: warmed_up(options, memory_format) for name, memory_format in formats.items()}
    best = min(candidates, key=lambda name: candidates[name][1])
    work = candidates.pop(best)[0]
    candidates.clear()
    about = f"PyTorch {torch.__version__}, {best}, {torch.get_num_threads()} threads"
    print(json.dumps({"about": about}), flush=True)
    for _ in sys.stdin:
        seconds, cpu_seconds = timed(work)
        # Kilobytes on Linux, bytes on macOS.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        print(json.dumps({"ms": 1000 * seconds, "cpuMs": 1000 * cpu_seconds, "peakBytes": peak}), flush=True)


if __name__ == "__main__":
    main()
