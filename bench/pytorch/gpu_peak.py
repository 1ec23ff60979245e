"""The most that a device reaches in products of large matrices: prints GFLOP/s by precision, and its name, as JSON."""

import json
import sys
import time

import torch
from turns import set_precision

device, size = sys.argv[1], int(sys.argv[2])
ROUNDS, PRODUCTS = 5, 10


def gflops(precision):
    set_precision(precision)
    dtype = torch.bfloat16 if precision == "mixed precision" else torch.float32
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    out = torch.empty_like(a)
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(PRODUCTS):
            torch.mm(a, b, out=out)
        if device == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 * PRODUCTS / best / 1e9


peaks = {f"PyTorch, {precision}": gflops(precision) for precision in ("float32", "TF32", "mixed precision")}
name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
print(json.dumps({"name": name, "peaks": peaks}))
