# Three training steps of the light, the VGG and a small residual network, by SGD with momentum and by Adam.
# Weights and images are not stored: golden.hashed makes them, here and in trainingSteps.test.ts, from stream numbers
# (1 + i: the i-th parameter in the order of the forward pass; IMAGES: the images). Of each parameter and its gradient the file
# keeps norm, sum and 16 samples spread over it.
import numpy as np
import torch

import golden

BATCH, STEPS, SAMPLES = 4, 3, 16
SIDES = {"light": 32, "vgg": 32, "resnet8": 8}
# Images on which no winner of a max pooling hangs on the last digits: with noise of 5e-7 of the RMS on every convolution's
# output (a float32 sum's is 1e-7, Winograd's 4e-7) the gradients of all three steps stay within 4 % of the tests' tolerance.
IMAGES = {"light": 1004, "vgg": 1007, "resnet8": 1004}
# KAF alone, α ~ ±0.5, is rough: by the third step seven layers of it turn that noise into gradients off by their own size, in
# PyTorch as here. So the VGG network has smaller α beside Swish.
ALPHA = {"light": 0.5, "vgg": 0.3, "resnet8": 0.5}
LABELS = [3, 1, 4, 1]
EPSILON_BN = 1e-3
L2 = {
    "light": {"dense": 0.0012, "convolution": 0.0},
    "vgg": {"dense": 0.0012, "convolution": 0.0},
    "resnet8": {"dense": 5e-4, "convolution": 5e-4},
}
# A small rate: at a larger one rounding grows from step to step, in PyTorch as here.
SGD = {"type": "sgd", "learningRate": 1e-3, "momentum": 0.9, "weightDecay": 5e-4}
# A large epsilon: else Adam turns the rounding of gradients near 0 (biases before a batch normalisation) into whole steps.
ADAM = {"type": "adam", "learningRate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 0.1, "weightDecay": 5e-4}
STAGES = (16, 32, 64)
BLOCKS = {"light": (32, 64), "vgg": (32, 64, 128)}
DICTIONARY, GAMMA = golden.dictionary_of(20)
# Six digits, so that it survives being written.
LOG_GAMMA = float(f"{np.log(GAMMA):.6g}")


def parameters_of(network, activation):
    """Name, shape, scale and centre of each parameter, in the order of the forward pass."""
    found, channels, number = [], 3, 0

    def add(name, shape, scale, centre=0.0):
        # Six digits, so that the scale survives being written.
        found.append((name, shape, float(f"{scale:.6g}"), centre))

    def add_convolution(name, inputs, outputs):
        add(f"{name}.kernel", (3, 3, inputs, outputs), (6 / (9 * inputs)) ** 0.5)
        add(f"{name}.bias", (outputs,), 0.1)

    def add_activation(layer, width):
        if activation == "relu":
            return
        if activation == "pssilu":
            # α and 1 + β, a typed formula's parameters.
            add(f"{layer.replace('kaf', 'formula')}.coefficients", (width, 2), 0.2, 1.0)
            return
        add(f"{layer}.alpha", (width, 20), ALPHA[network])
        if activation == "kaf-free":
            # Elements scattered over [−boundary, boundary].
            add(f"{layer}.dictionary", (width, 20), 3.0)
            add(f"{layer}.logGamma", (width,), 0.2, LOG_GAMMA)

    def add_rest(prefix, number, width):
        add(f"{prefix}bn{number}.gamma", (width,), 0.2, 1.0)
        add(f"{prefix}bn{number}.beta", (width,), 0.1)
        add_activation(f"{prefix}kaf{number}", width)

    if network == "resnet8":
        add_convolution("conv1", 3, 16)
        add_rest("", 1, 16)
        channels = 16
        for number, width in enumerate(STAGES, 1):
            block = f"block{number}."
            add_convolution(f"{block}conv1", channels, width)
            add_rest(block, 1, width)
            add_convolution(f"{block}conv2", width, width)
            if width != channels:
                add_convolution(f"{block}skip", channels, width)
            add_rest(block, 2, width)
            channels = width
        add("dense1.kernel", (channels, 10), (6 / channels) ** 0.5)
        add("dense1.bias", (10,), 0.1)
        return found
    for width in BLOCKS[network]:
        for _ in range(2):
            number += 1
            add_convolution(f"conv{number}", channels, width)
            add_rest("", number, width)
            channels = width
    inputs = channels if network == "light" else channels * 16
    add("dense1.kernel", (inputs, 128), (6 / (inputs + 128)) ** 0.5)
    add("dense1.bias", (128,), 0.1)
    add_activation(f"kaf{number + 1}", 128)
    add("dense2.kernel", (128, 10), (6 / 138) ** 0.5)
    add("dense2.bias", (10,), 0.1)
    return found


def forward(network, weights, x, activation):
    def convolve(x, name, stride=1):
        return golden.conv2d(x, weights[f"{name}.kernel"], weights[f"{name}.bias"], stride)

    def activate(x, name):
        if activation == "relu":
            return torch.relu(x)
        if activation == "pssilu":
            alpha, shifted = weights[f"{name.replace('kaf', 'formula')}.coefficients"].unbind(-1)
            return x * (torch.sigmoid(alpha * x) - (shifted - 1)) / (2 - shifted)
        if activation == "kaf-free":
            gamma = torch.exp(weights[f"{name}.logGamma"])[:, None]
            return golden.kaf(x, weights[f"{name}.alpha"], weights[f"{name}.dictionary"], gamma, residual=False)
        return golden.kaf(x, weights[f"{name}.alpha"], DICTIONARY, GAMMA, activation == "residual-kaf")

    def rest(x, prefix, number):
        bn = f"{prefix}bn{number}"
        x = golden.batch_norm(x, weights[f"{bn}.gamma"], weights[f"{bn}.beta"], EPSILON_BN)
        return activate(x, f"{prefix}kaf{number}")

    if network == "resnet8":
        x = rest(convolve(x, "conv1"), "", 1)
        for number, width in enumerate(STAGES, 1):
            block, stride = f"block{number}.", 1 if number == 1 else 2
            skip = x if stride == 1 else convolve(x, f"{block}skip", stride)
            x = rest(convolve(x, f"{block}conv1", stride), block, 1)
            x = rest(convolve(x, f"{block}conv2") + skip, block, 2)
        return x.mean((1, 2)) @ weights["dense1.kernel"] + weights["dense1.bias"]

    number = 0
    for _ in BLOCKS[network]:
        for _ in range(2):
            number += 1
            x = rest(convolve(x, f"conv{number}"), "", number)
        x = golden.max_pool(x)
    x = x.mean((1, 2)) if network == "light" else x.reshape(BATCH, -1)
    x = x @ weights["dense1.kernel"] + weights["dense1.bias"]
    x = activate(x, f"kaf{number + 1}")
    return x @ weights["dense2.kernel"] + weights["dense2.bias"]


def summary(values):
    flat = values.detach().numpy().ravel()
    positions = (np.arange(SAMPLES) * flat.size) // SAMPLES
    return {"norm": float(np.sqrt((flat**2).sum())), "sum": float(flat.sum()), "samples": flat[positions].tolist()}


def train(network, settings, activation):
    weights, start = {}, {}
    parameters = parameters_of(network, activation)
    for i, (name, shape, scale, centre) in enumerate(parameters):
        values = golden.float32(centre + scale * golden.hashed(1 + i, int(np.prod(shape)))).reshape(shape)
        weights[name], start[name] = values.clone().requires_grad_(), values
    side = SIDES[network]
    images = golden.float32((golden.hashed(IMAGES[network], BATCH * side * side * 3) + 1) / 2).reshape(BATCH, side, side, 3)
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
        loss = torch.nn.functional.cross_entropy(forward(network, weights, images, activation), labels)
        kernels = [(weight, "dense" if weight.dim() == 2 else "convolution") for name, weight in weights.items() if name.endswith(".kernel")]
        penalty = sum(L2[network][layer] * (weight**2).sum() for weight, layer in kernels)
        (loss + penalty).backward()
        gradients = {name: summary(weight.grad) for name, weight in weights.items()}
        optimizer.step()
        changes = {name: summary(weight.detach() - start[name]) for name, weight in weights.items()}
        steps.append({"loss": loss.item(), "gradients": gradients, "changes": changes})
    shapes = [{"name": name, "shape": list(shape), "scale": scale, "centre": centre} for name, shape, scale, centre in parameters]
    return {"optimizer": settings, "activation": activation, "parameters": shapes, "steps": steps}


# The free KAF is steep: in the light network a winner of a max pooling hung on the last digits on each of 33 sets of images, so it
# stays to the network without max pooling.
RUNS = {
    "light": [(SGD, "kaf"), (ADAM, "residual-kaf"), (SGD, "pssilu"), (ADAM, "pssilu")],
    "vgg": [(SGD, "residual-kaf"), (ADAM, "residual-kaf")],
    "resnet8": [(SGD, "relu"), (SGD, "kaf"), (ADAM, "residual-kaf"), (SGD, "kaf-free"), (ADAM, "kaf-free")],
}
for network, runs in RUNS.items():
    content = {
        "labels": LABELS, "images": IMAGES[network], "side": SIDES[network], "l2": L2[network], "gamma": GAMMA, "boundary": 3.0,
        "runs": [train(network, settings, activation) for settings, activation in runs],
    }  # fmt: skip
    golden.write(f"trainingSteps.{network}", 0, content)
