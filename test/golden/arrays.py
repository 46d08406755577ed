# Arrays as NumPy writes them, for test/data/arrays.test.ts: python test/golden/arrays.py
# NumPy's version and the seed are in arrays.json, beside the values that must be read.
import json
import pathlib
import numpy as np

seed = 7
random = np.random.default_rng(seed)
folder = pathlib.Path(__file__).parent
x = random.integers(0, 256, (6, 3, 2, 3), dtype=np.uint8)
arrays = {
    "x_train": x,
    "y_train": np.array([0, 2, 1, 2, 0, 1]),
    "table": random.normal(size=(6, 4)),
    "x_test": random.normal(size=(2, 4)).astype(np.float32),
    "y_test": np.array([2, 0], dtype=np.uint8),
}
np.savez(folder / "arrays.npz", **arrays)
np.savez_compressed(folder / "arraysPacked.npz", **arrays)
values = {name: array.reshape(-1).tolist() for name, array in arrays.items()}
(folder / "arrays.json").write_text(json.dumps({"numpy": np.__version__, "seed": seed, **values}) + "\n")
