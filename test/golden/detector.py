# A density detector's scores by numpy, and areas under ROC curves by scipy, of drawn activations.
import golden
import numpy as np
import scipy
from scipy.stats import mannwhitneyu

rng = np.random.default_rng(5)
N, D, K = 90, 6, 3
labels = rng.integers(0, K, N)
clean = np.float32(rng.normal(0, 1, (N, D)) @ rng.normal(0, 1, (D, D)) + 3 * labels[:, None])
asked = np.float32(rng.normal(0, 3, (20, D)))
means = np.stack([clean[labels == c].astype(float).mean(0) for c in range(K)])
offsets = clean.astype(float) - means[labels]
sigma = offsets.T @ offsets / N
sigma += np.eye(D) * 1e-3 * np.trace(sigma) / D
inverse = np.linalg.inv(sigma)
scores = np.array([min((x - m) @ inverse @ (x - m) for m in means) for x in asked.astype(float)])
rocs = []
for n, m, step in ((30, 40, None), (200, 3, 0.5), (50, 60, 1.0)):
    a, b = rng.normal(0, 1, n), rng.normal(0.8, 1, m)
    if step:
        a, b = np.round(a / step) * step, np.round(b / step) * step
    a, b = np.float32(a), np.float32(b)
    area = mannwhitneyu(b, a).statistic / (n * m)
    at = max((float((b >= t).mean()) for t in [*a, *b, np.inf] if (a >= t).mean() <= 0.05), default=0.0)
    rocs.append({"clean": a, "attacked": b, "area": float(area), "at5": at})
golden.write("detector", 5, {"scipy": scipy.__version__, "clean": clean, "labels": labels.tolist(), "asked": asked, "scores": scores, "rocs": rocs})
