"""Files and numbers that the tests compare with, by numpy 2.4.6, scipy 1.17.1 and Pillow 11.3.0 (13 resizes rows first where that is less work, with other rounding):  python make.py  (in this folder)."""

import bz2
import hashlib
import json

import numpy as np
from PIL import Image
from scipy.io import savemat

md5 = lambda array: hashlib.md5(np.ascontiguousarray(array).tobytes()).hexdigest()
pattern = lambda *shape: (np.arange(np.prod(shape), dtype=np.int64) ** 2 * 31 % 251).astype(np.uint8).reshape(shape)

# MATLAB: images [H, W, C, n] that differ in every axis, labels 1 to 10.
r, c, ch, n = np.ogrid[:32, :32, :3, :4]
X = ((r + 3 * c + 50 * ch + 70 * n) % 256).astype(np.uint8)
y = np.array([[1], [9], [10], [3]], dtype=np.uint8)
savemat("svhn.mat", {"X": X, "y": y}, do_compression=True)
savemat("plain.mat", {"X": X[:, :, :, :1] * 0 + 7, "y": y[:1].astype(np.float64)}, do_compression=False)

# LIBSVM lines of 256 numbers, packed by bzip2, and torchvision's bytes of them.
values = np.round(((np.arange(3 * 256).reshape(3, 256) * 37) % 2001) / 1000 - 1, 3)
lines = [
    f"{label} " + " ".join(f"{i + 1}:{v:.6g}" for i, v in enumerate(row)) + " "
    for label, row in zip([1, 10, 7], values)
]
open("usps.bz2", "wb").write(bz2.compress("\n".join(lines).encode() + b"\n"))
pixels = ((values.astype(np.float32) + 1) / 2 * 255).astype(np.uint8)

# JPEG, in colour and grey, and Pillow's pixels of them.
blocks = np.kron(pattern(8, 8, 3), np.ones((8, 8, 1), dtype=np.uint8))
Image.fromarray(blocks).save("colour.jpg", quality=40)
Image.fromarray(blocks[:, :, 0]).save("grey.jpg", quality=40)
decoded = {name: md5(np.array(Image.open(f"{name}.jpg").convert("RGB"))) for name in ("colour", "grey")}

# Grey and resized images.
image = Image.fromarray(pattern(23, 17, 3))
sizes = [(28, 28), (8, 5), (17, 9), (23, 23), (40, 3)]
resized = [{"to": [w, h], "md5": md5(np.array(image.resize((w, h), Image.BILINEAR)))} for w, h in sizes]
single = Image.fromarray(pattern(16, 16))
expected = {
    "usps": md5(pixels),
    "jpeg": decoded,
    "grey": md5(np.array(image.convert("L"))),
    "resized": resized,
    "resizedGrey": md5(np.array(single.resize((28, 28), Image.BILINEAR))),
    # The shorter side resized to 10, and the middle of the longer.
    "square": md5(np.array(image.resize((10, 13), Image.BILINEAR).crop((0, 1, 10, 11)))),
}
json.dump(expected, open("expected.json", "w"), indent=2)
