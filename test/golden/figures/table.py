# The table of docs/attacks.md from figures.json: how many images stand, seed by seed where something is drawn.
import json
import pathlib

content = json.loads((pathlib.Path(__file__).parent / "figures.json").read_text())


def title(case):
    settings = case["settings"]
    numbers = [f"{key} {value}" for key, value in settings.items() if key not in ("loss", "restarts")]
    norm = {"linf": "L∞", "l2": "L2"}[case["norm"]]
    return f"{case['attack']} ({', '.join(numbers)})" if numbers else case["attack"], f"{norm} {case['epsilon']}"


def counts(values):
    return ", ".join(map(str, values)) if len(set(values)) > 1 else f"{values[0]}" + (f" ({len(values)} ×)" if values[1:] else "")


print("| network | attack | ε | Kafscope | others |\n| --- | --- | --- | --- | --- |")
order = list(content["networks"])
for case in sorted(content["cases"], key=lambda case: order.index(case["network"])):
    standing = {who: values for who, values in case["standing"].items() if values}
    mine = standing.pop("Kafscope", None)
    if mine is None or not standing:
        continue
    others = "; ".join(f"{who} {counts(values)}" for who, values in standing.items())
    name, threat = title(case)
    print(f"| {case['network']} | {name} | {threat} | {counts(mine)} | {others} |")
