# Golden vectors of the paired t test, by SciPy: python pairedTest.py > pairedTest.json
import json

import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(14)
cases = []
for n, shift in [(2, 0.1), (3, 0.0), (5, 0.01), (5, 1.0), (10, 0.3), (30, 0.05), (100, 0.5)]:
    first = rng.normal(0.6, 0.02, n) + shift * 0.02
    second = rng.normal(0.6, 0.02, n)
    result = stats.ttest_rel(first, second)
    cases.append({"first": first.tolist(), "second": second.tolist(), "p": float(result.pvalue)})
print(json.dumps({"scipy": scipy.__version__, "seed": 14, "cases": cases}))
