# How outputs shift and inputs are spread, by NumPy and SciPy: what server/probe/responses.ts and spread.ts say of a layer that squares.
# Values come from golden.hashed, which responses.test.ts makes again.
import numpy as np
import scipy
import torch
from scipy import stats

import golden

SHAPE, BINS, COMPARED, DENSITY = [6, 5, 4, 3], 64, 1024, 24
LOW, HIGH = -1.5, 1.5


def images():
    size = int(np.prod(SHAPE))
    clean = golden.float32(golden.hashed(1, size)).numpy().astype(np.float32).reshape(SHAPE)
    noise = golden.float32(golden.hashed(2, size)).numpy().astype(np.float32).reshape(SHAPE)
    return clean, (clean + np.float32(0.4) * noise + np.float32(0.1)).astype(np.float32)


def binned(values, low, high, bins):
    """Each operation in float32, as the op has it."""
    places = ((values.ravel() - low) / max(np.float32(high - low), np.float32(1.2e-38))).astype(np.float32)
    index = np.minimum(bins - 1, np.floor((places * np.float32(bins)).astype(np.float32)).astype(int))
    return np.bincount(index, minlength=bins)


def in_bytes(counts, largest):
    return [0 if count == 0 else max(1, int(np.floor(255 * count / largest + 0.5))) for count in counts]


def shift(clean, attacked):
    n = len(clean)
    h, hh = (clean * clean).astype(np.float32), (attacked * attacked).astype(np.float32)
    low, high = min(h.min(), hh.min()), max(h.max(), hh.max())
    fine = [binned(each, low, high, COMPARED) for each in (h, hh)]
    coarse = [each.reshape(BINS, -1).sum(1) for each in fine]
    # NumPy's own bins, in float64, differ where a value lies within rounding of a border.
    theirs = [np.histogram(each.astype(np.float64), BINS, (float(low), float(high)))[0] for each in (h, hh)]
    assert sum(np.abs(a - b).sum() for a, b in zip(coarse, theirs)) <= 4
    moved = np.linalg.norm((hh.astype(float) - h).reshape(n, -1), axis=1)
    base = np.linalg.norm(h.astype(float).reshape(n, -1), axis=1)
    means = hh.astype(float).mean((1, 2)) - h.astype(float).mean((1, 2))
    largest = max(*coarse[0], *coarse[1])
    cumulated = [np.cumsum(each) / each.sum() for each in fine]
    return {
        "l2": moved.mean(),
        "relative": (moved / base).mean(),
        "thesis": (means**2).sum(1).mean(),
        "ks": np.abs(cumulated[0] - cumulated[1]).max(),
        "exactKs": stats.ks_2samp(h.ravel(), hh.ravel()).statistic,
        "low": low.item(),
        "high": high.item(),
        "clean": in_bytes(coarse[0], largest),
        "attacked": in_bytes(coarse[1], largest),
    }


def densities(clean, attacked):
    def counts(x):
        rows = []
        for channel in range(SHAPE[3]):
            values = x[..., channel].ravel()
            inside = np.histogram(values, DENSITY, (LOW, HIGH))[0]
            rows.append([int((values < LOW).sum()), *inside.tolist(), int((values > HIGH).sum())])
        return rows

    both = [counts(clean), counts(attacked)]
    largest = [max(*a, *b) for a, b in zip(*both)]
    return [[in_bytes(row, most) for row, most in zip(rows, largest)] for rows in both]


clean, attacked = images()
golden.write(
    "responses",
    0,
    {
        "scipy": scipy.__version__,
        "shape": SHAPE,
        "range": [LOW, HIGH],
        "shift": shift(clean, attacked),
        "densities": densities(clean, attacked),
    },
)
