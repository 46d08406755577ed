# Spline activation functions without a basis matrix: Catmull-Rom as cubic Hermite segments whose tangents are central differences,
# B-splines by de Boor's recursion; the gradients are autograd's. x reaches beyond the ends, where the curve is constant.
import numpy as np
import torch

import golden

SEED = 20201011
rng = np.random.default_rng(SEED)


def catmull_rom(position, points):
    """position [rows, C] in knots, points [C, Q]."""
    knot = position.detach().floor().clamp(1, points.shape[1] - 3).long()
    u = position - knot
    start, end = points.T.gather(0, knot), points.T.gather(0, knot + 1)
    tangents = torch.zeros_like(points)
    tangents[:, 1:-1] = (points[:, 2:] - points[:, :-2]) / 2
    leaving, arriving = tangents.T.gather(0, knot), tangents.T.gather(0, knot + 1)
    stay = (1 + 2 * u) * (1 - u) ** 2
    return stay * start + u * (1 - u) ** 2 * leaving + (1 - stay) * end + u**2 * (u - 1) * arriving


def uniform_b_spline(t, degree):
    """Of the knots 0, 1, ... degree + 1, by de Boor's recursion."""
    if degree == 0:
        return ((t >= 0) & (t < 1)).double()
    left, right = uniform_b_spline(t, degree - 1), uniform_b_spline(t - 1, degree - 1)
    return (t * left + (degree + 1 - t) * right) / degree


def b_spline(position, points):
    distance = position[..., None] - torch.arange(points.shape[1])
    return (points * uniform_b_spline(distance + 2, 3)).sum(-1)


cases = []
for basis, op in (("catmull-rom", catmull_rom), ("b-spline", b_spline)):
    for boundary, n_points in ((3.0, 21), (2.0, 4)):
        x = golden.float32(np.concatenate([rng.uniform(-3, 3, (16, 3)), rng.uniform(-6, 6, (4, 3))])).requires_grad_()
        points = golden.float32(rng.normal(0, 1, (3, n_points))).requires_grad_()
        dy = golden.float32(rng.normal(0, 1, x.shape))
        spacing = 2 * boundary / (n_points - 1)
        y = op((x.clamp(-boundary + spacing, boundary - spacing) + boundary) / spacing, points)
        y.backward(dy)
        tensors = {"x": x, "points": points, "dy": dy, "y": y, "dx": x.grad, "dpoints": points.grad}
        cases.append({"basis": basis, "boundary": boundary, **tensors})

golden.write("spline", SEED, {"cases": cases})
