# Pictures of many kinds as Pillow writes them, for test/data/pictures.test.ts: python test/golden/pictures.py
# Pillow's version and the seed are in pictures.json. Of each picture: the file, and the colours of its four quarters as one sees
# them (upper left, upper right, lower left, lower right); "noise" are pictures without quarters, which must be read at all.
import base64
import io
import json
import pathlib

import numpy as np
import PIL
from PIL import Image

seed = 3
random = np.random.default_rng(seed)
colours = [[250, 20, 30], [20, 200, 40], [30, 40, 240], [240, 230, 20]]
made = {}


def quarters(width, height, values, dtype=np.uint8):
    pixels = np.zeros((height, width, len(values[0])), dtype)
    for quarter, value in enumerate(values):
        rows = slice(0, height // 2) if quarter < 2 else slice(height // 2, None)
        columns = slice(0, width // 2) if quarter % 2 == 0 else slice(width // 2, None)
        pixels[rows, columns] = value
    return pixels.squeeze(2) if pixels.shape[2] == 1 else pixels


def save(name, image, expected=None, **options):
    file = io.BytesIO()
    image.save(file, format=name.rsplit(".")[-1].replace("jpg", "jpeg"), **options)
    made[name] = {"file": base64.b64encode(file.getvalue()).decode(), "quarters": expected}


def grey(values):
    return [[value] * 3 for value in values]


rgb = Image.fromarray(quarters(70, 41, colours))
for name, options in {
    "sampled.jpg": {"quality": 90, "subsampling": 2},
    "full.jpg": {"quality": 95, "subsampling": 0},
    "halved.jpg": {"quality": 90, "subsampling": 1, "optimize": True},
    "restarts.jpg": {"quality": 90, "restart_marker_blocks": 3},
    "progressive.jpg": {"quality": 90, "progressive": True},
    "lossy.webp": {"quality": 95},
    "lossless.webp": {"lossless": True},
    "plain.png": {},
}.items():
    save(name, rgb, colours, **options)

shades = [10, 90, 170, 250]
save("grey.jpg", Image.fromarray(quarters(33, 64, [[shade] for shade in shades])), grey(shades), quality=95)
save("grey.png", Image.fromarray(quarters(33, 64, [[shade] for shade in shades])), grey(shades))
save("greyAlpha.png", Image.fromarray(quarters(20, 20, [[200, 255], [200, 0], [90, 255], [90, 0]]), "LA"), grey([200, 0, 90, 0]))
save("alpha.png", Image.fromarray(quarters(20, 20, [[*colours[0], 255], [*colours[1], 0], [*colours[2], 255], [9, 9, 9, 0]]), "RGBA"),
     [colours[0], [0] * 3, colours[2], [0] * 3])
save("alpha.webp", Image.fromarray(quarters(20, 20, [[*colours[0], 255], [*colours[1], 0], [*colours[2], 255], [9, 9, 9, 0]]), "RGBA"),
     [colours[0], [0] * 3, colours[2], [0] * 3], lossless=True)
save("deep.png", Image.fromarray(quarters(24, 18, [[257 * shade] for shade in shades], np.uint16)), grey(shades))
save("palette.png", rgb.quantize(4), colours)
save("oneBit.png", Image.fromarray(quarters(24, 18, [[0], [255], [255], [0]])).convert("1"), grey([0, 255, 255, 0]))
# Without ink, and black alone, which is a dark grey on paper.
save("inks.jpg", Image.fromarray(quarters(32, 32, [[0, 0, 0, 0], [0, 0, 0, 255], [0, 0, 0, 0], [0, 0, 0, 255]]), "CMYK"),
     grey([255, 40, 255, 40]), quality=95)
# As a camera that was held sideways writes it: what one sees is turned.
for orientation, turned in {3: [3, 2, 1, 0], 6: [2, 0, 3, 1], 8: [1, 3, 0, 2]}.items():
    exif = Image.Exif()
    exif[0x0112] = orientation
    save(f"turned{orientation}.jpg", rgb, [colours[one] for one in turned], quality=95, subsampling=0, exif=exif)

# Waves of many lengths, as a photograph has.
waves = sum(
    np.stack([np.asarray(Image.fromarray(random.normal(0, 2 * length, (size, size)).astype(np.float32)).resize((112, 80), Image.BICUBIC))
              for _ in range(3)], -1)
    for length, size in ((1, 112), (2, 56), (4, 28), (8, 14), (16, 7))
)
photo = Image.fromarray(np.clip(waves + 128, 0, 255).astype(np.uint8))
for name, options in {
    "photo.jpg": {},
    "photoOptimized.jpg": {"optimize": True},
    "photoRestarts.jpg": {"restart_marker_blocks": 8},
    "photoFull.jpg": {"subsampling": 0},
}.items():
    save(name, photo, quality=80, **options)
save("photoGrey.jpg", photo.convert("L"), quality=80)

for index in range(24):
    mode = ["RGB", "L", "CMYK"][index % 3]
    width, height = (int(n) for n in random.integers(1, 40, 2))
    bands = {"RGB": 3, "L": 1, "CMYK": 4}[mode]
    pixels = random.integers(0, 256, (height, width, bands)).astype(np.uint8)
    if index % 4 == 1:
        pixels[:] = pixels[0, 0]
    options = {"quality": int(random.integers(1, 101)), "optimize": index % 2 == 0}
    if index % 5 == 0:
        options["restart_marker_blocks"] = 1 + index // 5
    save(f"noise{index}.jpg", Image.fromarray(pixels.squeeze(), mode) if min(width, height) > 1 else
         Image.fromarray(pixels[..., 0] if bands == 1 else pixels, mode), **options)

text = json.dumps({"pillow": PIL.__version__, "seed": seed, "pictures": made})
(pathlib.Path(__file__).parent / "pictures.json").write_text(text + "\n")
print(f"{len(text) / 1000:.0f} kB")
