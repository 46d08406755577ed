# Softmax cross-entropy of each sample, with its gradient; logits up to several hundred.
import numpy as np
import torch

import golden

SEED = 20201005
rng = np.random.default_rng(SEED)
cases = []
for n_samples, n_classes, scale in ((5, 10, 3.0), (4, 3, 200.0), (3, 2, 0.01)):
    logits = golden.float32(rng.normal(0, scale, (n_samples, n_classes))).requires_grad_()
    labels = torch.from_numpy(rng.integers(0, n_classes, n_samples))
    dy = golden.float32(rng.normal(0, 1, n_samples))
    losses = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    losses.backward(dy)
    cases.append({"logits": logits, "labels": labels, "dy": dy, "losses": losses, "dlogits": logits.grad})
golden.write("crossEntropy", SEED, {"cases": cases})
