# The attacks of published libraries on a PyTorch network, each asked for the same attack as one of ours. Every pass goes through a
# watch that notes which images the network was ever wrong about, since our attacks count an image as fooled at any step.
import contextlib
import io
import logging
import sys
import warnings

import numpy as np

# auto-LiRPA and others name a part of numpy that numpy 2.4 has moved.
sys.modules.setdefault("numpy.lib.arraysetops", np.lib._arraysetops_impl)
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import foolbox  # noqa: E402
import torch  # noqa: E402
import torchattacks  # noqa: E402
from art.attacks.evasion import FastGradientMethod, ProjectedGradientDescent  # noqa: E402
from art.estimators.classification import PyTorchClassifier  # noqa: E402
from pyautoattack import AutoAttack  # noqa: E402


class Watched(torch.nn.Module):
    """The network; while it watches, an image counts as fooled by any pass of the whole batch that is wrong about it."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.labels = None

    def forward(self, x):
        logits = self.network(x)
        if self.labels is not None and len(x) == len(self.labels):
            self.fooled |= logits.detach().argmax(1) != self.labels
        return logits

    @contextlib.contextmanager
    def watch(self, labels):
        self.labels, self.fooled = labels, torch.zeros(len(labels), dtype=torch.bool)
        yield
        self.labels = None


class Bench:
    """Images that the network is right about, and what of them each attack leaves, in batches."""

    def __init__(self, network, images, labels, batch=128):
        self.network = Watched(network)
        with torch.no_grad():
            right = torch.cat([network(part).argmax(1) for part in images.split(256)]) == labels
        self.total, self.clean = len(labels), int(right.sum())
        self.images, self.labels, self.batch = images[right], labels[right], batch
        self.foolbox = foolbox.PyTorchModel(self.network.eval(), bounds=(0, 1), device="cpu")
        self.art = PyTorchClassifier(
            self.network, torch.nn.CrossEntropyLoss(), (3, 32, 32), 10, clip_values=(0, 1), device_type="cpu"
        )

    def standing(self, attack, norm, epsilon, any_step=True):
        """How many images stand within ε: `attack` gives images for (images, labels). Steps beyond ε do not count."""
        standing = 0
        for x, y in zip(self.images.split(self.batch), self.labels.split(self.batch)):
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                with self.network.watch(y):
                    found = torch.as_tensor(attack(x, y)).detach()
                    with torch.no_grad():
                        last = self.network.network(found).argmax(1) != y
                    fooled = self.network.fooled if any_step else last
            offset = (found - x).flatten(1)
            length = offset.abs().amax(1) if norm == "linf" else offset.norm(dim=1)
            # Attacks within the ball: float32's rounding of values up to 1.
            fooled = (fooled | last) & (any_step | (length <= epsilon * (1 + 1e-5) + 1e-6))
            standing += int((~fooled).sum())
        return standing


def foolbox_attack(bench, attack, epsilon):
    def run(x, y):
        _, clipped, _ = attack(bench.foolbox, x, foolbox.criteria.Misclassification(y), epsilons=epsilon)
        return clipped

    return run


def foolbox_nearest(bench, attack):
    def run(x, y):
        raw, _, _ = attack(bench.foolbox, x, foolbox.criteria.Misclassification(y), epsilons=None)
        return raw

    return run


def art_attack(attack):
    return lambda x, y: attack.generate(x.numpy(), y.numpy())


def auto_attack(bench, name, norm, epsilon, seed, **settings):
    suite = AutoAttack(
        bench.network, attacks=[name], version="custom", eps=epsilon, norm={"linf": "Linf", "l2": "L2"}[norm], seed=seed
    )
    for part, values in settings.items():
        for key, value in values.items():
            setattr(getattr(suite, part), key, value)
    # Where APGD looks back is computed once, from the number of steps that it is made with.
    for apgd in (suite.apgd, suite.apgd_targeted):
        apgd.n_iter_2, apgd.n_iter_min, apgd.size_decr = (max(int(k * apgd.n_iter), 1) for k in (0.22, 0.06, 0.03))
    return lambda x, y: suite.run_standard_evaluation(x, y, batch_size=len(x))[0]


def nes(bench, epsilon, step_size, steps, directions, seed):
    """No library has it: Ilyas et al. (2018) with antithetic pairs on the margin, σ = ε, from the image itself, under L∞."""

    def run(x, y):
        draws = torch.Generator().manual_seed(seed)
        own = torch.nn.functional.one_hot(y, 10).bool()

        def margin(points):
            z = bench.network.network(points)
            return z.masked_fill(own, -torch.inf).amax(1) - z[own]

        at = x.clone()
        with torch.no_grad():
            for _ in range(steps):
                g = torch.zeros_like(x)
                for _ in range(directions):
                    u = torch.randn(x.shape, generator=draws)
                    rise = margin(at + epsilon * u) - margin(at - epsilon * u)
                    g += rise.reshape(-1, 1, 1, 1) * u
                at = (x + (at + step_size * g.sign() - x).clamp(-epsilon, epsilon)).clamp(0, 1)
                bench.network(at)
        return at

    return run


def deepfool_of_paper(bench, norm, steps=50, overshoot=0.02):
    """Algorithm 2 of Moosavi-Dezfooli et al. (2016) as printed: all classes, no constant added anywhere, the overshoot once at the end of
    the sum of steps; clipped to [0, 1] as the images are."""

    def run(x, y):
        total, at = torch.zeros_like(x), x.clone()
        everyone = torch.arange(len(x))
        going = torch.ones(len(x), dtype=torch.bool)
        for _ in range(steps):
            point = at.clone().requires_grad_()
            z = bench.network.network(point)
            going &= z.argmax(1) == y
            if not going.any():
                break
            gradients = torch.stack([torch.autograd.grad(z[:, k].sum(), point, retain_graph=True)[0] for k in range(10)], 1)
            w = (gradients - gradients[everyone, y][:, None]).flatten(2)
            f = (z - z[everyone, y][:, None]).detach().abs()
            dual = w.abs().sum(2) if norm == "linf" else w.norm(dim=2)
            distance = (f / dual).masked_fill(torch.nn.functional.one_hot(y, 10).bool(), torch.inf)
            nearest = distance.argmin(1)
            w, dual = w[everyone, nearest], dual[everyone, nearest][:, None]
            step = distance[everyone, nearest][:, None] * (w.sign() if norm == "linf" else w / dual)
            total = torch.where(going[:, None, None, None], total + step.reshape(x.shape), total)
            at = torch.where(going[:, None, None, None], (x + (1 + overshoot) * total).clamp(0, 1), at)
        return at

    return run


def attacks_of(bench, case, seed):
    """By library: the attack, and whether an image counts as fooled at any step."""
    norm, epsilon, name = case["norm"], case["epsilon"], case["attack"]
    given = case["settings"]
    steps = given.get("steps")
    model = bench.network
    relative = given.get("stepSize", epsilon / 4)
    match name, norm:
        case "fgsm", _:
            return {
                "torchattacks": (torchattacks.FGSM(model, eps=epsilon), False),
                "foolbox": (foolbox_attack(bench, foolbox.attacks.LinfFastGradientAttack(), epsilon), False),
                "ART": (art_attack(FastGradientMethod(bench.art, eps=epsilon, batch_size=128)), False),
            }
        case "pgd", "linf":
            pgd = foolbox.attacks.LinfProjectedGradientDescentAttack(
                rel_stepsize=None, abs_stepsize=relative, steps=steps, random_start=True
            )
            art = ProjectedGradientDescent(
                bench.art, eps=epsilon, eps_step=relative, max_iter=steps, num_random_init=1, batch_size=128, verbose=False
            )
            return {
                "torchattacks": (torchattacks.PGD(model, eps=epsilon, alpha=relative, steps=steps), True),
                "foolbox": (foolbox_attack(bench, pgd, epsilon), True),
                "ART": (art_attack(art), True),
            }
        case "pgd", "l2":
            pgd = foolbox.attacks.L2ProjectedGradientDescentAttack(
                rel_stepsize=None, abs_stepsize=relative, steps=steps, random_start=True
            )
            return {
                "torchattacks": (torchattacks.PGDL2(model, eps=epsilon, alpha=relative, steps=steps), True),
                "foolbox": (foolbox_attack(bench, pgd, epsilon), True),
            }
        case ("apgd-ce" | "apgd-dlr"), _:
            return {
                "pyautoattack": (auto_attack(bench, name, norm, epsilon, seed, apgd={"n_iter": steps, "n_restarts": 1}), False),
            }  # fmt: skip
        case "apgd-t", _:
            settings = {"n_iter": steps, "n_restarts": 1, "n_target_classes": 9}
            return {
                "pyautoattack": (auto_attack(bench, name, norm, epsilon, seed, apgd_targeted=settings), False),
            }
        case "fab-t", _:
            settings = {"n_iter": steps, "n_restarts": 1, "n_target_classes": 9}
            return {"pyautoattack": (auto_attack(bench, name, norm, epsilon, seed, fab=settings), False)}
        case "fab", _:
            return {"pyautoattack": (auto_attack(bench, name, norm, epsilon, seed, fab={"n_iter": steps, "n_restarts": 1}), False)}
        case "square", _:
            queries = given["queries"]
            settings = {"n_queries": queries, "rescale_schedule": True}
            return {
                "pyautoattack": (auto_attack(bench, name, norm, epsilon, seed, square=settings), False),
            }
        case "deepfool", "l2":
            l2 = foolbox.attacks.L2DeepFoolAttack(steps=steps)
            return {
                "paper": (deepfool_of_paper(bench, norm, steps), False),
                "foolbox": (foolbox_nearest(bench, l2), False),
            }
        case "deepfool", "linf":
            linf = foolbox.attacks.LinfDeepFoolAttack(steps=steps)
            return {
                "paper": (deepfool_of_paper(bench, norm, steps), False),
                "foolbox": (foolbox_nearest(bench, linf), False),
            }
        case "cw", "l2":
            searches, rate = given["searches"], given["learningRate"]
            cw = foolbox.attacks.L2CarliniWagnerAttack(
                binary_search_steps=searches, steps=steps, stepsize=rate, initial_const=given["constant"], abort_early=False
            )
            return {"foolbox": (foolbox_nearest(bench, cw), False)}
        case "noise", _:
            kinds = foolbox.attacks
            kind = {"linf": kinds.LinfRepeatedAdditiveUniformNoiseAttack, "l2": kinds.L2RepeatedAdditiveUniformNoiseAttack}
            return {"foolbox": (foolbox_attack(bench, kind[norm](repeats=given["draws"]), epsilon), False)}
        case "nes", "linf":
            return {"written here": (nes(bench, epsilon, relative, steps, given["directions"], seed), True)}
        case _:
            raise ValueError((name, norm))
