# Spectral normalisation of kernels by PyTorch's parametrization, and the penalty on the largest singular value by its derivative of
# singular values. Kernels are ours, [..., outputs]; values come from golden.hashed, which spectrum.test.ts makes again.
import warnings

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

import golden

warnings.filterwarnings("ignore")

SHAPES = {"dense": [6, 5], "convolution": [3, 3, 2, 4], "wide": [3, 17]}
STEPS, RATE, LAMBDA = 4, 0.5, 0.3


def theirs(kernel):
    """PyTorch's layout: outputs first."""
    return kernel.permute(3, 2, 0, 1) if kernel.dim() == 4 else kernel.T


def ours(weight):
    return weight.permute(2, 3, 1, 0) if weight.dim() == 4 else weight.T


def start(name, stream):
    shape = SHAPES[name]
    size = torch.tensor(shape).prod().item()
    return golden.float32(golden.hashed(stream, size)).reshape(shape)


def right(name):
    """Where v begins: a unit vector over the inputs, in our order."""
    inputs = SHAPES[name][:-1]
    vector = golden.float32(golden.hashed(3, torch.tensor(inputs).prod().item()))
    shaped = vector.reshape([*inputs, 1])
    return vector, theirs(shaped).flatten()


def normalized(name, iterations):
    """Updates by gradient descent of sum(c * W/sigma), with what the layer sees at each."""
    kernel = theirs(start(name, 1)).clone()
    layer = nn.Conv2d(*kernel.shape[1::-1], 3, bias=False) if kernel.dim() == 4 else nn.Linear(*kernel.shape[::-1], bias=False)
    layer.weight = nn.Parameter(kernel.clone())
    spectral_norm(layer, n_power_iterations=iterations)
    state = layer.parametrizations.weight[0]
    with torch.no_grad():
        state._v.copy_(right(name)[1])
    layer.train()
    original = layer.parametrizations.weight.original
    found = []
    for step in range(STEPS):
        seen = layer.weight  # One round of power iterations, as each forward pass in training.
        original.grad = None
        (seen * theirs(start(name, 10 + step))).sum().backward()
        found.append({"divided": ours(seen.detach()).contiguous(), "gradient": ours(original.grad).contiguous(), "left": state._u.clone()})
        with torch.no_grad():
            original -= RATE * original.grad
    return found


def penalty(name):
    kernel = start(name, 1).requires_grad_()
    values = torch.linalg.svdvals(kernel.reshape(-1, kernel.shape[-1]))
    (LAMBDA / 2 * values[0] ** 2).backward()
    return {"sigma": values[0].item(), "gradient": kernel.grad}


content = {
    "steps": STEPS, "rate": RATE, "lambda": LAMBDA,
    "kernels": [
        {"name": name, "shape": shape, "iterations": iterations, "normalized": normalized(name, iterations), "penalty": penalty(name)}
        for (name, shape), iterations in zip(SHAPES.items(), (1, 1, 3))
    ],
}  # fmt: skip
golden.write("spectrum", 0, content)
