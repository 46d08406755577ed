# 500 random formulas with up to three parameters, their values and gradients by PyTorch's autograd: in the middle of float32 and
# at its ends. A formula is written as text and computed at once, by the same recursion.
import numpy as np
import torch

import golden

SEED = 20261129
COUNT = 500
rng = np.random.default_rng(SEED)
functional = torch.nn.functional

unary = {
    "exp": torch.exp,
    "expm1": torch.expm1,
    "log": torch.log,
    "log1p": torch.log1p,
    "sqrt": torch.sqrt,
    "sin": torch.sin,
    "cos": torch.cos,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": lambda u: functional.softplus(u, threshold=1000),
    "erf": torch.erf,
    "erfc": torch.erfc,
    "abs": torch.abs,
    "sign": torch.sign,
}
comparisons = {"<": torch.lt, "<=": torch.le, ">": torch.gt, ">=": torch.ge}


class Formula:
    """Text and value of a random expression; `ties` tells where PyTorch shares a gradient between equal arguments."""

    def __init__(self, variables):
        self.variables = variables
        self.ties = torch.zeros_like(variables["x"], dtype=torch.bool)

    def draw(self, depth):
        """A part without a variable must be a number that float32 holds: others are refused."""
        text, value = self.draw_any(depth)
        if not value.requires_grad and not bool((value.abs() < 1e30).all()):
            raise ArithmeticError(text)
        return text, value

    def draw_any(self, depth):
        if depth == 0 or rng.random() < 0.12:
            return self.leaf()
        kind = rng.choice(["unary", "sum", "product", "quotient", "power", "extreme", "where"], p=[0.36, 0.2, 0.2, 0.07, 0.07, 0.05, 0.05])
        if kind == "unary":
            name = str(rng.choice(list(unary)))
            text, value = self.draw(depth - 1)
            return f"{name}({text})", unary[name](value)
        if kind == "power":
            exponent = int(rng.choice([2, 3, -1]))
            text, value = self.draw(depth - 1)
            return f"({text})^{exponent}", value**exponent
        (a, u), (b, v) = self.draw(depth - 1), self.draw(depth - 1)
        if kind == "sum":
            return (f"{a} + {b}", u + v) if rng.random() < 0.5 else (f"{a} - ({b})", u - v)
        if kind == "product":
            return f"({a}) * ({b})", u * v
        if kind == "quotient":
            return f"({a}) / ({b})", u / v
        if kind == "extreme":
            self.ties |= (u - v).abs() < 1e-9
            return (f"max({a}, {b})", torch.maximum(u, v)) if rng.random() < 0.5 else (f"min({a}, {b})", torch.minimum(u, v))
        sign = str(rng.choice(list(comparisons)))
        (c, w), (d, z) = self.draw(depth - 2 if depth > 1 else 0), self.leaf()
        self.ties |= (w - z).abs() < 1e-9
        return f"where({c} {sign} {d}, {a}, {b})", torch.where(comparisons[sign](w, z), u, v)

    def leaf(self):
        if rng.random() < 0.25:
            value = round(float(rng.uniform(-2, 2)), 3)
            return (f"({value})", torch.full_like(self.variables["x"], value))
        name = str(rng.choice(list(self.variables), p=self.weights()))
        return name, self.variables[name]

    def weights(self):
        n = len(self.variables) - 1
        return [1.0] if n == 0 else [0.6] + [0.4 / n] * n


def numbers(values, keep):
    """Nine digits, None where nothing is to be compared."""
    return [golden.plain(float(v)) if k and np.isfinite(v) else None for v, k in zip(values.tolist(), keep)]


cases = []
while len(cases) < COUNT:
    n_parameters = int(rng.integers(0, 4))
    ends = np.array([1e-30, -1e-30, 40.0, -40.0, 3e4, -3e4, 3.4e38, -3.4e38])
    x = golden.float32(np.concatenate([rng.uniform(-3, 3, 6), ends])).requires_grad_()
    # A value of its own at each x, so that autograd gives a gradient at each.
    names = ["a", "b", "c"][:n_parameters]
    starts = golden.float32(rng.uniform(0.3, 1.7, n_parameters))
    parameters = [torch.full_like(x, float(start)).detach().requires_grad_() for start in starts]
    variables = {"x": x, **dict(zip(names, parameters))}
    formula = Formula(variables)
    try:
        text, y = formula.draw(4)
    except ArithmeticError:
        continue
    used = [name for name in names if name in set(text.replace("(", " ").replace(")", " ").replace(",", " ").split())]
    if "x" not in text.replace("exp", "").replace("max", "") or len(text) < 5 or len(used) < n_parameters or not y.requires_grad:
        continue
    gradients = torch.autograd.grad(y.sum(), [x, *parameters], allow_unused=True)
    keep = (~formula.ties & torch.isfinite(y)).tolist()
    case = {"formula": text, "parameters": dict(zip(names, starts.tolist())), "x": x.tolist(), "y": numbers(y, keep)}
    case["x"] = [golden.plain(v) for v in case["x"]]
    case["gradients"] = [numbers(torch.zeros_like(x) if g is None else g, keep) for g in gradients]
    if sum(v is not None for v in case["y"][:6]) < 3:
        continue
    cases.append(case)

golden.write("formula", SEED, {"cases": cases})
