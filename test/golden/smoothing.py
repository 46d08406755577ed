# The quantiles that randomised smoothing stands on, and its radii, by scipy; the lower bound is statsmodels' and the paper's
# `proportion_confint(count, n, alpha=2 * alpha, method="beta")[0]`, which is this quantile of the beta distribution.
import golden
import numpy as np
import scipy
from scipy.stats import beta, norm

rng = np.random.default_rng(7)
bounds = []
for alpha in (0.05, 0.001, 1e-6):
    for n in (1, 10, 100, 1000, 10_000, 100_000, 1_000_000):
        for count in sorted({0, 1, n // 2, int(n * 0.9), n - 1, n, int(rng.integers(0, n + 1))} - {-1}):
            if count > n:
                continue
            low = 0.0 if count == 0 else float(beta.ppf(alpha, count, n - count + 1))
            radius = 0.25 * float(norm.ppf(low)) if low > 0.5 else None
            bounds.append([count, n, alpha, repr(low), None if radius is None else repr(radius)])
quantiles = [[repr(p), repr(float(norm.ppf(p)))] for p in (1e-300, 1e-20, 1e-6, 0.001, 0.3, 0.5, 0.7, 0.9931, 0.999, 1 - 1e-9)]
betas = [[a, b, p, repr(float(beta.ppf(p, a, b)))] for a in (0.5, 1, 3, 40.5) for b in (0.5, 2, 77) for p in (1e-4, 0.2, 0.5, 0.99)]
golden.write("smoothing", 7, {"scipy": scipy.__version__, "bounds": bounds, "quantiles": quantiles, "betas": betas})
