# Three training steps by SGD with momentum of networks that are declared in layers: the pre-activation ResNet18, the CNN of Table 4.1 and
# one of every other layer, each written here anew in torch.nn (NCHW, float64). Weights and pictures are golden.hashed, here and
# in declaredNetworks.test.ts: stream 1 + i for the i-th parameter, IMAGES for the pictures.
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import golden

BATCH, STEPS, SAMPLES, IMAGES = 4, 3, 8, 2001
LABELS = [3, 1, 4, 1]
SGD = {"learningRate": 1e-3, "momentum": 0.9, "weightDecay": 5e-4}
EPSILON_BN, EPSILON_GN = 1e-3, 1e-5


def conv(inputs, outputs, size, stride=1, padding=None, bias=True):
    return nn.Conv2d(inputs, outputs, size, stride, size // 2 if padding is None else padding, bias=bias)


def norm(channels):
    return nn.BatchNorm2d(channels, eps=EPSILON_BN)


class Same(nn.Module):
    """Pads as TensorFlow's `same` for stride 2 on even lengths: one row less before than PyTorch's symmetric padding."""

    def __init__(self, inner, size, value=0.0):
        super().__init__()
        self.inner, self.total, self.value = inner, size - 2, value

    def forward(self, x):
        before = self.total // 2
        after = self.total - before
        return self.inner(F.pad(x, (before, after, before, after), value=self.value))


def strided(inputs, outputs, size, stride):
    if stride == 1:
        return conv(inputs, outputs, size, bias=False)
    if size == 1:
        return conv(inputs, outputs, 1, 2, 0, bias=False)
    return Same(conv(inputs, outputs, size, 2, 0, bias=False), size)


class PreActBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1, self.conv1 = norm(inputs), strided(inputs, outputs, 3, stride)
        self.bn2, self.conv2 = norm(outputs), conv(outputs, outputs, 3, bias=False)
        self.skip = strided(inputs, outputs, 1, 2) if stride == 2 else None

    def forward(self, x):
        active = F.silu(self.bn1(x))
        skip = self.skip(active) if self.skip is not None else x
        return self.conv2(F.silu(self.bn2(self.conv1(active)))) + skip


class PreActResNet18(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = conv(3, 64, 3, bias=False)
        widths = [64, 64, 64, 128, 128, 256, 256, 512, 512]
        self.blocks = nn.ModuleList(
            PreActBlock(a, b, 2 if b != a else 1) for a, b in zip(widths[:-1], widths[1:])
        )
        self.bn1, self.dense1 = norm(512), nn.Linear(512, 10)

    def forward(self, x):
        x = self.conv1(x)
        for block in self.blocks:
            x = block(x)
        return self.dense1(F.silu(self.bn1(x)).mean((2, 3)))


class Cnn5(nn.Module):
    """Two blocks of five, as the author ran it: pooling without padding."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = conv(3, 150, 5), conv(150, 150, 5)
        self.dense1 = nn.Linear(150 * 9, 10)

    def forward(self, x):
        for layer in (self.conv1, self.conv2):
            x = F.max_pool2d(F.silu(layer(x)), 3, 2)
        # Flattened with the channels last, as Kafscope does.
        return self.dense1(x.permute(0, 2, 3, 1).reshape(BATCH, -1))


class Mixed(nn.Module):
    """MIXED of declaredNetworks.test.ts."""

    def __init__(self):
        super().__init__()
        self.conv1, self.gn1 = conv(3, 12, 7, padding=0), nn.GroupNorm(3, 12, eps=EPSILON_GN)
        self.conv2, self.conv3 = conv(12, 12, 3), conv(12, 12, 1, bias=False)
        self.scale = nn.Parameter(torch.tensor([0.5]))
        self.ln1 = nn.GroupNorm(1, 12, eps=EPSILON_GN)
        self.conv4, self.conv5, self.conv6 = conv(12, 4, 1), conv(12, 4, 1), Same(conv(4, 6, 5, 1, 0), 6)
        self.dense1, self.dense2 = nn.Linear(22, 16), nn.Linear(16, 10)

    def forward(self, x):
        x = F.silu(self.gn1(self.conv1(x)))
        x = x + self.scale * self.conv3(torch.tanh(self.conv2(x)))
        x = self.ln1(x)
        # Of 10×10, windows of 3 at stride 1: the mean of the pixels that are there.
        average = F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        ways = [self.conv4(x), self.conv6(F.silu(self.conv5(x))), average]
        x = F.avg_pool2d(torch.cat(ways, 1), 2, 2)
        return self.dense2(F.silu(self.dense1(x.mean((2, 3)))))


# Name here and in Kafscope, in the order of its forward pass.
def names_of(model):
    if isinstance(model, PreActResNet18):
        found = [("conv1.weight", "conv1.kernel")]
        for i, block in enumerate(model.blocks):
            ours = f"block{i + 1}."
            found += [(f"blocks.{i}.bn1.{t}", f"{ours}bn1.{o}") for t, o in (("weight", "gamma"), ("bias", "beta"))]
            inner = "conv1.inner" if block.skip is not None else "conv1"
            found += [(f"blocks.{i}.{inner}.weight", f"{ours}conv1.kernel")]
            found += [(f"blocks.{i}.bn2.{t}", f"{ours}bn2.{o}") for t, o in (("weight", "gamma"), ("bias", "beta"))]
            found += [(f"blocks.{i}.conv2.weight", f"{ours}conv2.kernel")]
            if block.skip is not None:
                found += [(f"blocks.{i}.skip.weight", f"{ours}skip.kernel")]
        return found + [
            *(("bn1.weight", "bn1.gamma"), ("bn1.bias", "bn1.beta")),
            *(("dense1.weight", "dense1.kernel"), ("dense1.bias", "dense1.bias")),
        ]
    found = []
    order = ["conv1", "conv2", "dense1"] if isinstance(model, Cnn5) else [
        *("conv1", "gn1", "conv2", "conv3", "scale", "ln1", "conv4", "conv5", "conv6", "dense1", "dense2"),
    ]  # fmt: skip
    for layer in order:
        if layer == "scale":
            found += [("scale", "sum1.scale")]
        elif layer in ("gn1", "ln1"):
            found += [(f"{layer}.weight", f"{layer}.gamma"), (f"{layer}.bias", f"{layer}.beta")]
        else:
            torch_name = "conv6.inner" if layer == "conv6" else layer
            found += [(f"{torch_name}.weight", f"{layer}.kernel")]
            if layer != "conv3":
                found += [(f"{torch_name}.bias", f"{layer}.bias")]
    return found


def ours(tensor):
    """[O, I, H, W] as [H, W, I, O], [O, I] as [I, O]."""
    if tensor.dim() == 4:
        return tensor.permute(2, 3, 1, 0)
    return tensor.T if tensor.dim() == 2 else tensor


def theirs(tensor):
    if tensor.dim() == 4:
        return tensor.permute(3, 2, 0, 1)
    return tensor.T if tensor.dim() == 2 else tensor


def summary(values):
    flat = ours(values.detach()).contiguous().numpy().ravel()
    positions = (np.arange(SAMPLES) * flat.size) // SAMPLES
    return {"norm": float(np.sqrt((flat**2).sum())), "samples": flat[positions].tolist()}


def train(model, side):
    model = model.double().train()
    parameters = dict(model.named_parameters())
    names = names_of(model)
    assert len(names) == len(parameters), set(parameters) - {name for name, _ in names}
    start, described = {}, []
    for i, (torch_name, name) in enumerate(names):
        target = parameters[torch_name]
        shape = tuple(ours(target).shape)
        fan_in = int(np.prod(shape[:-1]))
        is_kernel = name.endswith(".kernel")
        scale = float(f"{(6 / fan_in) ** 0.5 if is_kernel else 0.2:.6g}")
        centre = 1.0 if name.endswith((".gamma", ".scale")) else 0.0
        values = golden.float32(centre + scale * golden.hashed(1 + i, int(np.prod(shape)))).reshape(shape)
        with torch.no_grad():
            target.copy_(theirs(values))
        start[torch_name] = target.detach().clone()
        described.append({"name": name, "shape": list(shape), "scale": scale, "centre": centre})
    pictures = golden.float32((golden.hashed(IMAGES, BATCH * side * side * 3) + 1) / 2).reshape(BATCH, side, side, 3)
    labels = torch.tensor(LABELS)
    decayed = [parameters[t] for t, name in names if name.endswith(".kernel")]
    others = [parameters[t] for t, name in names if not name.endswith(".kernel")]
    groups = [{"params": decayed, "weight_decay": SGD["weightDecay"]}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.SGD(groups, lr=SGD["learningRate"], momentum=SGD["momentum"])
    steps = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(pictures.permute(0, 3, 1, 2)), labels)
        loss.backward()
        gradients = {name: summary(parameters[t].grad) for t, name in names}
        optimizer.step()
        steps.append({"loss": loss.item(), "gradients": gradients})
    changes = {name: summary(parameters[t].detach() - start[t]) for t, name in names}
    return {"side": side, "parameters": described, "steps": steps, "changes": changes}


golden.write("declaredNetworks", IMAGES, {
    "labels": LABELS, "images": IMAGES, "optimizer": SGD,
    "networks": {
        "preact-resnet18": train(PreActResNet18(), 16),
        "cnn5": train(Cnn5(), 16),
        "mixed": train(Mixed(), 16),
    },
})  # fmt: skip
