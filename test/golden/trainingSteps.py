# Three training steps of the light network with KAF and residual KAF and of the VGG network with residual KAF, by SGD with
# momentum and by Adam.
# Weights and images are not stored: golden.hashed makes them, here and in trainingSteps.test.ts, from stream numbers
# (1 + i: the i-th parameter in the order of the forward pass; IMAGES: the images). Of each parameter and its gradient the file
# keeps norm, sum and 16 samples spread over it.
import numpy as np
import torch

import golden

BATCH, STEPS, SAMPLES = 4, 3, 16
# Images on which no winner of a max pooling hangs on the last digits: with noise of 5e-7 of the RMS on every convolution's
# output (a float32 sum's is 1e-7, Winograd's 4e-7) the gradients of all three steps stay within 4 % of the tests' tolerance.
IMAGES = {"light": 1004, "vgg": 1007}
# KAF alone, α ~ ±0.5, is rough: by the third step seven layers of it turn that noise into gradients off by their own size, in
# PyTorch as here. So the VGG network has smaller α beside Swish.
ALPHA = {"light": 0.5, "vgg": 0.3}
LABELS = [3, 1, 4, 1]
EPSILON_BN = 1e-3
DENSE_L2 = 0.0012
# A small rate: at a larger one rounding grows from step to step, in PyTorch as here.
SGD = {"type": "sgd", "learningRate": 1e-3, "momentum": 0.9, "weightDecay": 5e-4}
# A large epsilon: else Adam turns the rounding of gradients near 0 (biases before a batch normalisation) into whole steps.
ADAM = {"type": "adam", "learningRate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 0.1, "weightDecay": 5e-4}
BLOCKS = {"light": (32, 64), "vgg": (32, 64, 128)}
DICTIONARY, GAMMA = golden.dictionary_of(20)


def parameters_of(network):
    """Name, shape, scale and centre of each parameter, in the order of the forward pass."""
    found, channels, number = [], 3, 0

    def add(name, shape, scale, centre=0.0):
        # Six digits, so that the scale survives being written.
        found.append((name, shape, float(f"{scale:.6g}"), centre))

    for width in BLOCKS[network]:
        for _ in range(2):
            number += 1
            add(f"conv{number}.kernel", (3, 3, channels, width), (6 / (9 * channels)) ** 0.5)
            add(f"conv{number}.bias", (width,), 0.1)
            add(f"bn{number}.gamma", (width,), 0.2, 1.0)
            add(f"bn{number}.beta", (width,), 0.1)
            add(f"kaf{number}.alpha", (width, 20), ALPHA[network])
            channels = width
    inputs = channels if network == "light" else channels * 16
    add("dense1.kernel", (inputs, 128), (6 / (inputs + 128)) ** 0.5)
    add("dense1.bias", (128,), 0.1)
    add(f"kaf{number + 1}.alpha", (128, 20), ALPHA[network])
    add("dense2.kernel", (128, 10), (6 / 138) ** 0.5)
    add("dense2.bias", (10,), 0.1)
    return found


def forward(network, weights, x, residual):
    number = 0
    for _ in BLOCKS[network]:
        for _ in range(2):
            number += 1
            x = golden.conv2d(x, weights[f"conv{number}.kernel"], weights[f"conv{number}.bias"])
            x = golden.batch_norm(x, weights[f"bn{number}.gamma"], weights[f"bn{number}.beta"], EPSILON_BN)
            x = golden.kaf(x, weights[f"kaf{number}.alpha"], DICTIONARY, GAMMA, residual)
        x = golden.max_pool(x)
    x = x.mean((1, 2)) if network == "light" else x.reshape(BATCH, -1)
    x = x @ weights["dense1.kernel"] + weights["dense1.bias"]
    x = golden.kaf(x, weights[f"kaf{number + 1}.alpha"], DICTIONARY, GAMMA, residual)
    return x @ weights["dense2.kernel"] + weights["dense2.bias"]


def summary(values):
    flat = values.detach().numpy().ravel()
    positions = (np.arange(SAMPLES) * flat.size) // SAMPLES
    return {"norm": float(np.sqrt((flat**2).sum())), "sum": float(flat.sum()), "samples": flat[positions].tolist()}


def train(network, settings, residual):
    weights, start = {}, {}
    for i, (name, shape, scale, centre) in enumerate(parameters_of(network)):
        values = golden.float32(centre + scale * golden.hashed(1 + i, int(np.prod(shape)))).reshape(shape)
        weights[name], start[name] = values.clone().requires_grad_(), values
    images = golden.float32((golden.hashed(IMAGES[network], BATCH * 32 * 32 * 3) + 1) / 2).reshape(BATCH, 32, 32, 3)
    labels = torch.tensor(LABELS)
    groups = [
        {"params": [w for n, w in weights.items() if n.endswith(".kernel")], "weight_decay": settings["weightDecay"]},
        {"params": [w for n, w in weights.items() if not n.endswith(".kernel")], "weight_decay": 0.0},
    ]
    if settings["type"] == "sgd":
        optimizer = torch.optim.SGD(groups, lr=settings["learningRate"], momentum=settings["momentum"])
    else:
        betas = (settings["beta1"], settings["beta2"])
        optimizer = torch.optim.Adam(groups, lr=settings["learningRate"], betas=betas, eps=settings["epsilon"])
    steps = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(forward(network, weights, images, residual), labels)
        penalty = DENSE_L2 * sum((weights[name] ** 2).sum() for name in ("dense1.kernel", "dense2.kernel"))
        (loss + penalty).backward()
        gradients = {name: summary(weight.grad) for name, weight in weights.items()}
        optimizer.step()
        changes = {name: summary(weight.detach() - start[name]) for name, weight in weights.items()}
        steps.append({"loss": loss.item(), "gradients": gradients, "changes": changes})
    return {"optimizer": settings, "base": "swish" if residual else "none", "steps": steps}


for network in ("light", "vgg"):
    shapes = [
        {"name": name, "shape": list(shape), "scale": scale, "centre": centre}
        for name, shape, scale, centre in parameters_of(network)
    ]
    runs = [train(network, SGD, network == "vgg"), train(network, ADAM, True)]
    content = {
        "labels": LABELS, "images": IMAGES[network], "denseL2": DENSE_L2, "gamma": GAMMA, "boundary": 3.0, "parameters": shapes, "runs": runs,
    }  # fmt: skip
    golden.write(f"trainingSteps.{network}", 0, content)
