"""Made kinds.json and the files in kinds/, with PyTorch 2.15.0: checkpoints as people save them. kinds.json says what each holds, as torch.load reads it."""

import argparse
import collections
import copy
import datetime
import functools
import json
import os
import pathlib
import warnings

import numpy
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

warnings.filterwarnings("ignore")
torch.manual_seed(1)
os.makedirs("kinds", exist_ok=True)
expected = {}


def numbers(state):
    return {
        name: {"shape": list(tensor.shape), "numbers": [str(x) for x in tensor.detach().float().flatten().tolist()]}
        for name, tensor in state.items()
        if isinstance(tensor, torch.Tensor)
    }


def save(name, value, layers, **options):
    """`layers`: the tensors that a reader has to find, in order."""
    torch.save(value, f"kinds/{name}", **options)
    torch.load(f"kinds/{name}", weights_only=False)
    expected[name] = numbers(layers)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 2, bias=False)
        self.rgbnet = nn.Linear(2, 3)
        self.norm = nn.BatchNorm2d(2)


class Config:
    def __init__(self, **values):
        self.__dict__.update(values)


class Tagged(torch.Tensor):
    pass


def layers_of(state, prefix=""):
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in state.items()
        if name.rsplit(".", 1)[-1] in ("weight", "bias", "running_mean", "running_var")
    }


net = Net()
plain = layers_of(net.state_dict())
optimizer = torch.optim.Adam(net.parameters())
sum((p**2).sum() for p in net.parameters()).backward()
optimizer.step()

parallel = {f"module.{name}": tensor for name, tensor in net.state_dict().items()}
save(
    "imagenet.pth.tar",
    {"epoch": 5, "arch": "net", "state_dict": parallel, "best_acc1": torch.tensor(61.5), "optimizer": optimizer.state_dict()},
    plain,
)

everything = {
    "epoch": 12,
    "model": {f"_orig_mod.model.{name}": tensor for name, tensor in net.state_dict().items()},
    "test_acc": numpy.float64(0.625),
    "loss": numpy.float32(0.5),
    "step": numpy.int64(77),
    "history": [0.5] * 50,
    "counts": collections.Counter(a=1),
    "groups": collections.defaultdict(list, a=[1]),
    "args": argparse.Namespace(lr=0.1, out=pathlib.Path("/tmp/x")),
    "hyper_parameters": {"optimizer": functools.partial(torch.optim.SGD, lr=0.1), "config": Config(a=1, b=Config(c=2))},
    "day": datetime.date(2024, 1, 1),
    "array": numpy.arange(3.0),
    "device": torch.device("cpu"),
    "dtype": torch.float16,
    "size": torch.Size([1, 2]),
    "rng": torch.get_rng_state()[:4].clone(),
    "function": numbers,
    "flags": {1, 2, 3},
    "big": 10**30,
    "slice": slice(1, 2),
}
save("globals.ckpt", everything, plain)
save("globals4.pt", everything, plain, pickle_protocol=4)
save("globals-legacy.pt", everything, plain, _use_new_zipfile_serialization=False)

averaged = torch.optim.swa_utils.AveragedModel(nn.DataParallel(net))
save("averaged.pt", averaged.state_dict(), plain)
save("ema.pt", {"model": net.state_dict(), "ema": averaged.state_dict(), "epoch": 3}, plain)
save("gan.pt", {"generator": net.state_dict(), "discriminator": nn.Linear(1, 2).state_dict()}, {})
save("module.pt", copy.deepcopy(net), plain)

profiled = copy.deepcopy(net)
for module in profiled.modules():
    module.register_buffer("total_ops", torch.zeros(1, dtype=torch.float64))
profiled.conv.register_buffer("max_val", torch.tensor([float("inf"), float("-inf")]))
profiled.register_buffer("losses", torch.rand(200))
save("profiled.pt", profiled.state_dict(), plain)

normed = nn.Sequential(nn.utils.weight_norm(nn.Conv2d(1, 2, 2)), nn.utils.weight_norm(nn.Linear(2, 3), dim=1), nn.utils.weight_norm(nn.Linear(2, 1), dim=None))
for i in range(3):
    with torch.no_grad():
        normed[i].weight_g.mul_(1.5 + i)
folded = {}
for i, layer in enumerate(normed):
    dim = (0, 1, -1)[i]
    folded[f"{i}.bias"] = layer.bias
    folded[f"{i}.weight"] = torch._weight_norm(layer.weight_v, layer.weight_g, dim) if dim >= 0 else layer.weight_v * (layer.weight_g / layer.weight_v.norm())
save("weight-norm.pt", normed.state_dict(), folded)
parametrized = nn.Sequential(parametrizations.weight_norm(nn.Conv2d(1, 2, 2)))
with torch.no_grad():
    parametrized[0].parametrizations.weight.original0.mul_(2)
save("parametrized.pt", parametrized.state_dict(), {"0.bias": parametrized[0].bias, "0.weight": parametrized[0].weight})
pruned = nn.Sequential(nn.Linear(3, 2))
prune.random_unstructured(pruned[0], "weight", 0.5)
save("pruned.pt", pruned.state_dict(), {"0.bias": pruned[0].bias, "0.weight": pruned[0].weight})

lstm = nn.ModuleDict({"embed": nn.Embedding(3, 2), "lstm": nn.LSTM(2, 2)})
save("lstm.pt", lstm.state_dict(), {"embed.weight": lstm.embed.weight})

values = torch.tensor([[0.0, 1.0, -1.5], [448.0, -0.001953125, 0.0625]])
eight = {f"{str(kind)[6:]}.weight": values.to(kind) for kind in (torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz, torch.float16, torch.bfloat16, torch.float64)}
save("float8.pt", eight, eight)
save("complex.pt", {"conv.weight": torch.ones(1, 2, dtype=torch.complex64)}, {})
save("quantized.pt", {"conv.weight": torch.quantize_per_tensor(torch.ones(1, 2), 0.1, 0, torch.qint8)}, {})
save("beside-complex.pt", {"conv.weight": torch.ones(1, 2), "freqs": torch.ones(2, 2, dtype=torch.complex64), "q": torch.quantize_per_tensor(torch.ones(1, 2), 0.1, 0, torch.qint8), "sparse": torch.eye(2).to_sparse()}, {"conv.weight": torch.ones(1, 2)})

subclass = torch.ones(2, 2).as_subclass(Tagged)
parameter = nn.Parameter(torch.ones(2, 2))
parameter.tag = "x"
save("subclass.pt", {"a.weight": subclass, "b.weight": parameter, "c.weight": nn.Parameter(torch.ones(1, 1))}, {"a.weight": subclass, "b.weight": parameter, "c.weight": torch.ones(1, 1)})
save("zero3.pt", {"module": {"conv.weight": torch.empty(0), "conv.bias": torch.empty(0)}}, {})

with open("kinds.json", "w") as file:
    json.dump(expected, file)
