# Convolution and its gradients at odd and even sizes, NHWC, with TensorFlow's padding.
import numpy as np

import golden

SEED = 20201003
rng = np.random.default_rng(SEED)
cases = []
for height, width in ((7, 6), (5, 8)):
    for size in (1, 3, 5):
        for stride in (1, 2):
            for padding in ("same", "valid"):
                x = golden.float32(rng.normal(0, 1, (1, height, width, 2))).requires_grad_()
                kernel = golden.float32(rng.normal(0, 1, (size, size, 2, 3))).requires_grad_()
                bias = golden.float32(rng.normal(0, 1, 3)).requires_grad_()
                y = golden.conv2d(x, kernel, bias, stride, padding)
                dy = golden.float32(rng.normal(0, 1, y.shape))
                y.backward(dy)
                cases.append(
                    {
                        "stride": stride, "padding": padding, "x": x, "kernel": kernel, "bias": bias, "dy": dy,
                        "y": y, "dx": x.grad, "dkernel": kernel.grad, "dbias": bias.grad,
                    }
                )  # fmt: skip
golden.write("convolution", SEED, {"cases": cases})
