"""Golden vectors: layers with fixed seeds, and what weightwatcher 0.7.7 says of them.

    pip install weightwatcher==0.7.7 safetensors && python make.py

Writes layers.safetensors and features.json beside itself. weightwatcher runs with its default settings.
"""
import json
from pathlib import Path

import numpy as np
import torch
import weightwatcher
from safetensors.torch import save_file

here = Path(__file__).parent
generator = torch.Generator().manual_seed(0)
normal = lambda *shape: torch.randn(*shape, generator=generator)

class Layers(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 8, 5)  # 25 matrices of 8 x 3
        self.conv2 = torch.nn.Conv2d(8, 12, 3, bias=False)
        self.conv1x1 = torch.nn.Conv2d(24, 10, 1)  # fewer than 20 eigenvalues: the fit of small samples
        self.wide = torch.nn.Linear(70, 33)
        self.tall = torch.nn.Linear(40, 90)
        self.heavy = torch.nn.Linear(64, 64, bias=False)  # heavy-tailed numbers
        self.deficient = torch.nn.Linear(50, 30, bias=False)  # of rank 11
        self.small = torch.nn.Linear(20, 6)  # fewer than 8 eigenvalues: weightwatcher skips it

model = Layers()
with torch.no_grad():
    for name, parameter in model.named_parameters():
        parameter.copy_(0.1 * normal(*parameter.shape))
    model.heavy.weight.copy_(0.01 * normal(64, 64) / normal(64, 64).abs().clamp(min=0.01))
    model.deficient.weight.copy_(0.1 * normal(30, 11) @ normal(11, 50))

details = weightwatcher.WeightWatcher(model=model).analyze()
columns = ["alpha", "D", "sigma", "xmin", "num_evals", "log_spectral_norm", "alpha_weighted", "stable_rank", "log_norm", "log_alpha_norm"]
layers = {row["longname"]: {name: float(row[name]) for name in columns} for _, row in details.iterrows()}
save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, here / "layers.safetensors")
json.dump({"weightwatcher": weightwatcher.__version__, "numpy": np.__version__, "torch": torch.__version__, "layers": layers}, open(here / "features.json", "w"), indent=1)
print(json.dumps(layers, indent=1))
