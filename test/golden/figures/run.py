# Robust accuracies of our attacks beside those of published libraries, on the same weights and the same real images:
#   python run.py --data CIFAR10-FOLDER --runs FOLDER [--images 512] [--only NETWORK] [--attack NAME] [--minutes 8]
#   python table.py
# Trains three light networks by our own command line into the runs folder (once), attacks them by it and by the libraries, and writes
# figures.json, case by case: cut off, it goes on where it was. Needs torch, torchattacks, foolbox, adversarial-robustness-toolbox
# and pyautoattack. docs/attacks.md tells what was found; table.py writes its table.
import argparse
import hashlib
import importlib.metadata
import json
import pathlib
import subprocess
import sys
import time

import torch

import libraries
from network import Light, test_images

here = pathlib.Path(__file__).parent
project = here.parents[2]
results = here / "figures.json"
packages = ("torch", "torchattacks", "foolbox", "adversarial-robustness-toolbox", "pyautoattack", "numpy")

NETWORKS = {
    "relu": {"activation": "relu", "method": "standard", "epochs": 6, "epsilon": {"linf": "1/255", "l2": "0.1"}},
    "k-wta": {"activation": "{type: k-wta, ratio: 0.2}", "method": "standard", "epochs": 3,
              "epsilon": {"linf": "1/255", "l2": "0.1"}},
    "kaf": {"activation": "{type: kaf, dictionary: 20, init: {normal: 0.3}}", "method": "fgsm-rs", "epochs": 2,
            "epsilon": {"linf": "8/255", "l2": "0.5"}},
}  # fmt: skip

# Attack, norm, settings, and whether nothing in it is drawn.
CASES = [
    ("fgsm", "linf", {"loss": "cross-entropy"}, True),
    ("deepfool", "linf", {"steps": 30}, True),
    ("pgd", "linf", {"loss": "cross-entropy", "steps": 10, "restarts": 1}, False),
    ("apgd-ce", "linf", {"steps": 20}, False),
    ("apgd-t", "linf", {"steps": 10}, False),
    ("deepfool", "l2", {"steps": 30}, True),
    ("square", "linf", {"queries": 100}, False),
    ("fab-t", "linf", {"steps": 10}, True),
    ("pgd", "l2", {"loss": "cross-entropy", "steps": 10, "restarts": 1}, False),
    ("apgd-dlr", "linf", {"steps": 20}, False),
    ("noise", "linf", {"draws": 20}, False),
    ("nes", "linf", {"steps": 4, "directions": 10}, False),
    ("cw", "l2", {"searches": 3, "steps": 30, "learningRate": 0.01, "constant": 0.1}, True),
    ("square", "l2", {"queries": 100}, False),
    ("apgd-ce", "l2", {"steps": 20}, False),
]
SEEDS = (0, 1, 2)


def kafscope(*arguments):
    command = ["node", project / "scripts/kafscope.mjs", *map(str, arguments), "--json"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def train(name, data, runs):
    """The last checkpoint of the network's run, trained as far as it is not."""
    given = NETWORKS[name]
    finished = runs / f"{name}.finished"
    if not finished.exists():
        experiment = runs / f"{name}.kaf.yaml"
        runs.mkdir(parents=True, exist_ok=True)
        experiment.write_text(
            f"name: golden-{name}\n"
            f"dataset: {{name: cifar10, path: {data}, trainSamples: 20000, testSamples: 2000}}\n"
            f"model: {{network: light, activation: {given['activation']}, denseL2: 0}}\n"
            f"training:\n  method: {given['method']}\n  epochs: {given['epochs']}\n  batchSize: 125\n"
            "  optimizer: {type: adam}\n  schedule: {type: triangular, min: 0.0001, max: 0.003}\n"
            "observe: {robustSamples: 0, norms: 0, tensorboard: false}\nevaluation: []\nseed: 0\n"
        )
        begun = sorted(runs.glob(f"*golden-{name}-s0"))
        work = ["--resume", begun[-1]] if begun else [experiment, "--out", runs, "--runtime", "wasm"]
        kafscope("train", *work, "--threads", 1)
        finished.touch()
    checkpoints = runs.glob(f"*golden-{name}-s0/checkpoints/*.safetensors")
    return max(checkpoints, key=lambda file: int(file.stem.split("-")[1]))


def ours(checkpoint, attack, norm, epsilon, settings, seed, images):
    options = {"norm": norm, "epsilon": epsilon, "samples": images, "seed": seed, **settings}
    typed = [part for key, value in options.items() for part in ("--" + dashed(key), value)]
    started = time.monotonic()
    done = kafscope("evaluate", checkpoint, "--attack", attack, "--threads", 1, *typed)[-1]
    return round(done["robust"]["value"] * done["samples"]), time.monotonic() - started


def dashed(key):
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in key)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--runs", required=True, type=pathlib.Path)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--only", choices=NETWORKS)
    parser.add_argument("--attack")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    options = parser.parse_args()
    end = time.monotonic() + 60 * options.minutes
    torch.set_num_threads(1)
    content = json.loads(results.read_text()) if results.exists() else {"networks": {}, "cases": []}
    content["madeBy"] = {
        "script": "figures/run.py",
        "python": sys.version.split()[0],
        **{name: importlib.metadata.version(name) for name in packages},
    }
    content |= {"images": options.images, "seeds": SEEDS}
    for name, given in NETWORKS.items():
        if options.only not in (None, name):
            continue
        checkpoint = train(name, options.data, options.runs)
        network = Light(checkpoint).eval()
        bench = libraries.Bench(network, *test_images(options.data, options.images))
        trained = {"step": checkpoint.stem, "digest": hashlib.sha256(checkpoint.read_bytes()).hexdigest()[:16]}
        known = content["networks"].get(name, {})
        if any(known.get(part) != value for part, value in trained.items()):
            content["cases"] = [case for case in content["cases"] if case["network"] != name]
        content["networks"][name] = {**trained, "clean": bench.clean, **given}
        for attack, norm, settings, is_fixed in CASES:
            if options.attack not in (None, attack):
                continue
            epsilon = given["epsilon"][norm]
            numbers = [float(part) for part in epsilon.split("/")]
            value = numbers[0] / (numbers[1] if len(numbers) > 1 else 1)
            key = {"network": name, "attack": attack, "norm": norm, "epsilon": epsilon, "settings": settings}
            case = next((one for one in content["cases"] if one.items() >= key.items()), None)
            if case is None:
                case = {**key, "standing": {}}
                content["cases"].append(case)
            for seed in SEEDS[:1] if is_fixed else SEEDS:
                asked = {"attack": attack, "norm": norm, "epsilon": value, "settings": settings}
                jobs = {"Kafscope": lambda: ours(checkpoint, attack, norm, epsilon, settings, seed, options.images)[0]}
                for library, (run, any_step) in libraries.attacks_of(bench, asked, seed).items():

                    def job(run=run, any_step=any_step):
                        torch.manual_seed(seed)
                        libraries.np.random.seed(seed)
                        return bench.standing(run, norm, value, any_step)

                    jobs[library] = job
                for who, job in jobs.items():
                    found = case["standing"].setdefault(who, [])
                    if len(found) > seed:
                        continue
                    if time.monotonic() > end:
                        return
                    started = time.monotonic()
                    found.append(job())
                    print(name, attack, norm, seed, who, found[-1], f"{time.monotonic() - started:.0f} s", flush=True)
                    results.write_text(json.dumps(content, indent=1) + "\n")


main()
