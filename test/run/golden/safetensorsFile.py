"""Writes safetensorsFile.json: a file with every dtype, made by the format's own library, and the values in it.

    pip install safetensors==0.8.0 numpy
    python safetensorsFile.py
"""

import base64
import json
import pathlib

import numpy as np
from safetensors import TensorSpec, serialize

values = {
    "F64": [0.5, -1e300, 3],
    "F32": [0.5, -2.25, 1e-45],
    "F16": [0.5, -2.25, 65504, 6e-8],
    "BF16": [0.5, -2.25, 3.3895313892515355e38],
    "I64": [-5, 2**53, 7],
    "I32": [-5, 2**31 - 1],
    "I16": [-5, 32767],
    "I8": [-5, 127],
    "U8": [5, 255],
    "BOOL": [1, 0, 1],
}
numpy_types = {"F64": "f8", "F32": "f4", "F16": "f2", "I64": "i8", "I32": "i4", "I16": "i2", "I8": "i1", "U8": "u1", "BOOL": "?"}
names = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32", "I16": "int16",
    "I8": "int8", "U8": "uint8", "BOOL": "bool",
}

def data_of(dtype, numbers):
    if dtype == "BF16":
        return (np.array(numbers, "f4").view("u4") >> 16).astype("u2")
    return np.array(numbers, numpy_types[dtype])

def stored(dtype, numbers):
    if dtype == "BF16":
        return [float(x) for x in ((np.array(numbers, "f4").view("u4") >> 16) << 16).view("f4")]
    return [float(x) for x in np.array(numbers, numpy_types[dtype])]

data = {dtype: data_of(dtype, numbers) for dtype, numbers in values.items()}
tensors = {
    dtype: TensorSpec(dtype=names[dtype], shape=array.shape, data_ptr=array.ctypes.data, data_len=array.nbytes)
    for dtype, array in data.items()
}
golden = {
    "file": base64.b64encode(serialize(tensors, {"made": "by safetensors"})).decode(),
    "values": {dtype: stored(dtype, numbers) for dtype, numbers in values.items()},
}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(golden, indent=2) + "\n")
