"""Whole attacks by torchattacks and ART on the networks of torchWork.py, cut down as wholeAttack.ts is.

    python attackWork.py '{"mode": "torchattacks", "kind": "pgd-whole", "threads": 1, "cut": {"steps": 5}, …}'

Speaks as torchWork.py does, and tells how many images stand. AutoAttack is on a checkpoint of the light network, which
golden/figures/network.py reads, here with the KAF as it is usually written, and on real images.
"""
import importlib.metadata
import json
import pathlib
import resource
import sys

import torch
import torchattacks

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "golden/figures"))
from network import Light, test_images  # noqa: E402
from torchWork import EPSILON, MARGIN, PGD_STEP_SIZE, Kaf, make_network, timed  # noqa: E402


def pgd(options):
    """On a network that nothing fools: every image is attacked in every step."""
    torch.manual_seed(0)
    model = make_network(options).eval().requires_grad_(False)
    model.output.bias.copy_(torch.tensor([MARGIN] + [0.0] * 9))
    images = torch.rand(options["batchSize"], 3, 32, 32)
    labels = torch.zeros(len(images), dtype=torch.long)
    steps = options["cut"]["steps"]
    if options["mode"] == "art":
        from art.attacks.evasion import ProjectedGradientDescent
        from art.estimators.classification import PyTorchClassifier

        classifier = PyTorchClassifier(
            model, torch.nn.CrossEntropyLoss(), (3, 32, 32), 10, clip_values=(0, 1), device_type="cpu"
        )
        attack = ProjectedGradientDescent(
            classifier, eps=EPSILON, eps_step=PGD_STEP_SIZE, max_iter=steps, num_random_init=1,
            batch_size=len(images), verbose=False,
        )  # fmt: skip
        x, y = images.numpy(), labels.numpy()
        return model, images, labels, lambda: torch.from_numpy(attack.generate(x, y))
    attack = torchattacks.PGD(model, eps=EPSILON, alpha=PGD_STEP_SIZE, steps=steps)
    return model, images, labels, lambda: attack(images, labels)


class UsualKaf(Kaf):
    """With the coefficients of a checkpoint."""

    def __init__(self, alpha, plan, dimensions):
        super().__init__(len(alpha), dimensions, alpha.shape[1], plan["boundary"])
        self.gamma = self.gamma if plan["gamma"] in (None, "auto") else plan["gamma"]
        self.alpha = torch.nn.Parameter(alpha.reshape(self.alpha.shape))


def auto_attack(options):
    """The four attacks of `torchattacks.AutoAttack(version="standard")`, with fewer steps."""
    given = options["trained"]
    model = Light(given["checkpoint"])
    for index, activation in enumerate(model.activations):
        if activation.plan["type"] == "kaf":
            model.activations[index] = UsualKaf(activation.alpha, activation.plan, 4 if index < 4 else 2)
    model = model.eval().requires_grad_(False)
    # torchattacks asks for the device of a parameter.
    model.register_parameter("unused", torch.nn.Parameter(torch.zeros(1)))
    images, labels = test_images(given["data"], options["batchSize"])
    steps = options["cut"]["steps"]
    common = {"eps": EPSILON, "seed": 0}
    attack = torchattacks.MultiAttack([
        torchattacks.APGD(model, steps=steps, loss="ce", n_restarts=1, **common),
        torchattacks.APGDT(model, steps=steps, n_classes=10, n_restarts=1, **common),
        torchattacks.FAB(model, steps=steps, multi_targeted=True, n_classes=10, n_restarts=1, **common),
        torchattacks.Square(model, n_queries=50 * steps, resc_schedule=False, n_restarts=1, **common),
    ])  # fmt: skip
    return model, images, labels, lambda: attack(images, labels)


def main():
    options = json.loads(sys.argv[1])
    torch.set_num_threads(options["threads"])
    is_whole = options["kind"] == "pgd-whole"
    model, images, labels, attack = (pgd if is_whole else auto_attack)(options)
    stands = 0

    def right(x):
        with torch.no_grad():
            return model(x).argmax(1) == labels

    def work():
        """As ours: who is right, the attack, who still is."""
        nonlocal stands
        stands = int((right(images) & right(attack())).sum())

    if is_whole:
        work()
    package = {"torchattacks": "torchattacks", "art": "adversarial-robustness-toolbox"}[options["mode"]]
    versions = f"{package} {importlib.metadata.version(package)}, PyTorch {torch.__version__}"
    print(json.dumps({"about": f"{versions}, {torch.get_num_threads()} threads"}), flush=True)
    for _ in sys.stdin:
        seconds, cpu_seconds = timed(work)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        answer = {"ms": 1000 * seconds, "cpuMs": 1000 * cpu_seconds, "peakBytes": peak, "stands": stands}
        print(json.dumps(answer), flush=True)


main()
