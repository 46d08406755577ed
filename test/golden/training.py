# How weights follow gradients, by PyTorch: optimizers, schedules of the learning rate, clipping, smoothed labels, averages of the weights. Values come from
# golden.hashed, which training.test.ts makes again.
import warnings

import numpy as np
import torch

import golden

SIZE, STEPS, DECAY = 24, 5, 0.1
EPOCHS, STEPS_AN_EPOCH = 6, 4

warnings.filterwarnings("ignore")


def optimized(make):
    weight = golden.float32(golden.hashed(1, SIZE)).requires_grad_()
    optimizer = make([weight])
    for step in range(STEPS):
        weight.grad = golden.float32(golden.hashed(10 + step, SIZE))
        optimizer.step()
    return weight.detach()


def rates(make, total=EPOCHS * STEPS_AN_EPOCH):
    """The learning rate of each update."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0, momentum=0.9)
    schedule, found = make(optimizer), []
    for _ in range(total):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


def at(optimizer, rate):
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"] = rate
    return optimizer


lr = torch.optim.lr_scheduler
ALL = EPOCHS * STEPS_AN_EPOCH
SCHEDULES = [
    ({"type": "constant", "learningRate": 0.1}, lambda o: lr.ConstantLR(at(o, 0.1), factor=1.0)),
    ({"type": "step", "learningRate": 0.1, "factor": 0.3, "everyEpochs": 2}, lambda o: lr.StepLR(at(o, 0.1), 2 * STEPS_AN_EPOCH, 0.3)),
    ({"type": "cosine", "min": 0.01, "max": 0.2, "warmupEpochs": 0}, lambda o: lr.CosineAnnealingLR(at(o, 0.2), ALL, 0.01)),
    ({"type": "cosine", "min": 0.01, "max": 0.2, "warmupEpochs": 1}, lambda o: lr.SequentialLR(
        at(o, 0.2), [lr.LinearLR(o, 0.05, 1.0, STEPS_AN_EPOCH), lr.CosineAnnealingLR(o, ALL - STEPS_AN_EPOCH, 0.01)], [STEPS_AN_EPOCH])),
    ({"type": "triangular", "min": 0.01, "max": 0.2, "cooldownEpochs": 0}, lambda o: lr.CyclicLR(o, 0.01, 0.2, ALL / 2)),
    ({"type": "triangular", "min": 0.01, "max": 0.2, "cooldownEpochs": 0, "peak": 0.25}, lambda o: lr.CyclicLR(o, 0.01, 0.2, ALL / 4, 3 * ALL / 4)),
    ({"type": "one-cycle", "min": 1e-4, "max": 0.2, "peak": 0.3, "cooldownEpochs": 0}, lambda o: lr.OneCycleLR(
        o, 0.2, total_steps=ALL, pct_start=0.3, final_div_factor=0.2 / 25 / 1e-4, cycle_momentum=False)),
]  # fmt: skip


def clipped(kind, limit):
    """Two tensors, as a kernel [4, 3] and a bias [3]; the second is much smaller."""
    weights = [golden.float32(golden.hashed(30, 12)).reshape(4, 3), golden.float32(0.01 * golden.hashed(31, 3))]
    gradients = [golden.float32(3 * golden.hashed(32, 12)).reshape(4, 3), golden.float32(0.2 * golden.hashed(33, 3))]
    if kind == "adaptive":
        def unit(x):
            return x.norm(dim=0, keepdim=True) if x.dim() == 2 else x.abs()
        return [g * torch.clamp(limit * unit(w).clamp(min=1e-3) / unit(g), max=1) for w, g in zip(weights, gradients)]
    leaves = [torch.zeros_like(g, requires_grad=True) for g in gradients]
    for leaf, gradient in zip(leaves, gradients):
        leaf.grad = gradient.clone()
    if kind == "global":
        torch.nn.utils.clip_grad_norm_(leaves, limit)
    else:
        for leaf in leaves:
            torch.nn.utils.clip_grad_norm_([leaf], limit)
    return [leaf.grad for leaf in leaves]


def averaged(decay, warm_up, statistics):
    """The average after each of STEPS updates, of a weight and a running mean that come from elsewhere."""
    model = torch.nn.BatchNorm1d(SIZE)
    swa = torch.optim.swa_utils
    if warm_up:
        def average(mean, new, n):
            d = min(decay, (1 + n.item()) / (10 + n.item()))
            return d * mean + (1 - d) * new
        made = swa.AveragedModel(model, avg_fn=average, use_buffers=statistics == "average")
    else:
        made = swa.AveragedModel(model, multi_avg_fn=swa.get_ema_multi_avg_fn(decay), use_buffers=statistics == "average")
    found = []
    for step in range(STEPS):
        with torch.no_grad():
            model.weight.copy_(golden.float32(golden.hashed(50 + step, SIZE)))
            model.running_mean.copy_(golden.float32(golden.hashed(60 + step, SIZE)))
        made.update_parameters(model)
        found.append({"weight": made.module.weight.detach().clone(), "mean": made.module.running_mean.clone()})
    return found


logits = golden.float32(3 * golden.hashed(40, 20)).reshape(4, 5).requires_grad_()
labels = torch.tensor([0, 3, 4, 2])
losses = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=0.1, reduction="none")
losses.sum().backward()

sgd, adamw = torch.optim.SGD, torch.optim.AdamW
content = {
    "size": SIZE, "steps": STEPS, "epochs": EPOCHS, "stepsPerEpoch": STEPS_AN_EPOCH,
    "optimizers": [
        {"plan": {"type": "sgd", "momentum": 0.9, "weightDecay": DECAY}, "weights": optimized(lambda w: sgd(w, lr=0.05, momentum=0.9, weight_decay=DECAY))},
        {"plan": {"type": "sgd", "momentum": 0.9, "weightDecay": DECAY, "nesterov": True}, "weights": optimized(lambda w: sgd(w, lr=0.05, momentum=0.9, weight_decay=DECAY, nesterov=True))},
        {"plan": {"type": "adamw", "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-6, "weightDecay": DECAY}, "weights": optimized(lambda w: adamw(w, lr=0.05, betas=(0.9, 0.99), eps=1e-6, weight_decay=DECAY))},
    ],
    "schedules": [{"plan": plan, "rates": rates(make)} for plan, make in SCHEDULES],
    "clipping": [{"plan": {"type": kind, "limit": limit}, "gradients": clipped(kind, limit)} for kind, limit in [("global", 1.0), ("global", 2.0), ("global", 100.0), ("layer", 1.0), ("adaptive", 0.1)]],
    "averages": [
        {"plan": {"decay": decay, "warmUp": warm_up, "statistics": statistics}, "steps": averaged(decay, warm_up, statistics)}
        for decay, warm_up, statistics in [(0.9, False, "average"), (0.9, False, "trained"), (0.25, True, "average"), (0.995, True, "trained")]
    ],
    "smoothing": {"smoothing": 0.1, "labels": labels.tolist(), "losses": losses, "gradient": logits.grad},
}  # fmt: skip
golden.write("training", 0, content)
