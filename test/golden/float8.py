# All 256 numbers of each of the eight-bit types of safetensors, by PyTorch; NaN and infinities as text.
import json
import math
import pathlib

import torch

TYPES = {"F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2, "F8_E8M0": torch.float8_e8m0fnu}


def shown(value):
    return value if math.isfinite(value) else str(value)


numbers = {}
for name, dtype in TYPES.items():
    values = torch.arange(256, dtype=torch.uint8).view(dtype).to(torch.float64)
    numbers[name] = [shown(value) for value in values.tolist()]
about = {"script": "float8.py", "torch": torch.__version__}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps({"madeBy": about, "numbers": numbers}) + "\n")
