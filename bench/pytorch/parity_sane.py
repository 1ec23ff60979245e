"""What bench/parity-sane.ts compares with.

make FOLDER: a SANE of random weights saved as the authors' training saves it, networks, statistics of their layers.
check FOLDER: prints how far the program's embeddings and reconstructions are from PyTorch's, as JSON.
"""

import json
import sys
from pathlib import Path

import torch
from sane import Sane
from torch import nn

TOKEN, WIDTH, LATENT, LAYERS, HEADS, WINDOW, POSITIONS = 145, 64, 16, 3, 4, 64, (800, 30, 70)


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        if inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))


class ResidualNet(nn.Module):
    """No architecture that the program knows."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.layer1 = nn.Sequential(Block(8, 8), Block(8, 16))
        self.layer2 = nn.Sequential(Block(16, 24), Block(24, 24))
        self.fc = nn.Linear(24, 10)


def cnn():
    sizes = {0: (16, 3, 3, 3), 4: (32, 16, 3, 3), 8: (15, 32, 3, 3), 13: (20, 60), 16: (10, 20)}
    modules = [nn.Identity() for _ in range(17)]
    for i, size in sizes.items():
        modules[i] = nn.Conv2d(size[1], size[0], 3) if len(size) == 4 else nn.Linear(size[1], size[0])
    return nn.ModuleDict({"module_list": nn.ModuleList(modules)})


def shapes():
    inner = {
        "ln_1.weight": (WIDTH,),
        "attn.c_attn.weight": (3 * WIDTH, WIDTH),
        "attn.c_proj.weight": (WIDTH, WIDTH),
        "ln_2.weight": (WIDTH,),
        "mlp.c_fc.weight": (4 * WIDTH, WIDTH),
        "mlp.c_proj.weight": (WIDTH, 4 * WIDTH),
    }
    sizes = {"tokenizer.weight": (WIDTH, TOKEN), "tokenizer.bias": (WIDTH,)}
    sizes |= {f"pe.pe{i + 1}.weight": (n, WIDTH // 2) for i, n in enumerate(POSITIONS)}
    for stack in ("encoder", "decoder"):
        for i in range(LAYERS):
            sizes |= {f"transformer_{stack}.transformer.{i}.{name}": size for name, size in inner.items()}
    sizes |= {"encoder_comp.weight": (LATENT, WIDTH), "encoder_comp.bias": (LATENT,)}
    sizes |= {"decoder_comp.weight": (WIDTH, LATENT), "decoder_comp.bias": (WIDTH,)}
    sizes |= {"detokenizer.weight": (TOKEN, WIDTH), "detokenizer.bias": (TOKEN,)}
    head = "projection_head.head"
    sizes |= {f"{head}.0.weight": (30, WINDOW * LATENT), f"{head}.3.weight": (30, 30)}
    return sizes | {f"{head}.{i}.{part}": (30,) for i in (1, 4) for part in ("weight", "bias")}


def layers(state):
    """Names of the weights that become tokens."""
    return [k for k in state if "weight" in k and "bn" not in k and "downsample.1" not in k]


def bias(key):
    return key.replace("weight", "bias")


def mapped(state, statistics, inverse=False):
    """Standardised, or back."""
    result = dict(state)
    for key in layers(state):
        entry = statistics[key]
        if statistics["mode"] == "standardize":
            shift, scale = entry["mean"], entry["std"]
        else:
            shift, scale = (entry["max"] + entry["min"]) / 2, (entry["max"] - entry["min"]) / 2
        for name in (key, bias(key)):
            if name in state:
                x = state[name].double()
                result[name] = (x * scale + shift if inverse else (x - shift) / scale).float()
    return result


def tokens(state):
    """Tokens and positions (token, layer, row)."""
    rows, positions = [], []
    for layer, key in enumerate(layers(state)):
        matrix = state[key].flatten(1)
        if bias(key) in state:
            matrix = torch.cat([matrix, state[bias(key)][:, None]], 1)
        chunks = -(-matrix.shape[1] // TOKEN)
        matrix = nn.functional.pad(matrix, (0, chunks * TOKEN - matrix.shape[1]))
        rows.append(matrix.reshape(-1, TOKEN))
        positions += [(layer, row) for row in range(matrix.shape[0]) for _ in range(chunks)]
    table = [(n, layer, row) for n, (layer, row) in enumerate(positions)]
    return torch.cat(rows), torch.tensor(table)


def from_tokens(decoded, state):
    result, at = dict(state), 0
    for key in layers(state):
        weight = state[key]
        width = weight[0].numel()
        chunks = -(-(width + (bias(key) in state)) // TOKEN)
        matrix = decoded[at : at + len(weight) * chunks].reshape(len(weight), -1)
        at += len(weight) * chunks
        result[key] = matrix[:, :width].reshape(weight.shape)
        if bias(key) in state:
            result[bias(key)] = matrix[:, width]
    return result


def make(folder):
    torch.manual_seed(0)
    trial = folder / "trial"
    (trial / "checkpoint_000050").mkdir(parents=True)
    weights = {name: torch.randn(size) * (1 if "ln" in name or "pe" in name else 0.15) for name, size in shapes().items()}
    saved = {"model": {"_orig_mod." + name: value for name, value in weights.items()}, "optimizer": {"state": {}}}
    torch.save(saved, trial / "checkpoint_000050" / "state.pt")
    (trial / "params.json").write_text(json.dumps({"ae:nhead": HEADS, "training::windowsize": WINDOW}))
    for kind, build in {"cnn": cnn, "residual": ResidualNet}.items():
        states = [build().state_dict() for _ in range(3)]
        for i, state in enumerate(states):
            torch.save(state, folder / f"{kind}-{i}.pt", _use_new_zipfile_serialization=i != 2)
        standard, extent = {"mode": "standardize"}, {"mode": "minmax"}
        for key in layers(states[0]):
            values = torch.cat([s[k].flatten() for s in states for k in (key, bias(key)) if k in s])
            standard[key] = {"mean": values.mean().item(), "std": values.std().item()}
            extent[key] = {"min": values.min().item(), "max": values.max().item()}
        for statistics in (standard, extent):
            (folder / f"{kind}-{statistics['mode']}.json").write_text(json.dumps(statistics))


def check(folder):
    saved = torch.load(folder / "trial" / "checkpoint_000050" / "state.pt", weights_only=True)["model"]
    model = Sane({name.removeprefix("_orig_mod."): value for name, value in saved.items()}, LAYERS, HEADS).eval()
    results = []
    for case in json.loads((folder / "cases.json").read_text()):
        statistics = json.loads((folder / case["normalization"]).read_text()) if case["normalization"] else None
        embedded = json.loads((folder / case["embeddings"]).read_text())
        worst = {"embedding": 0.0, "reconstruction": 0.0}
        for entry, file in zip(embedded, case["reconstructions"], strict=True):
            state = torch.load(entry["model"], weights_only=True)
            x, p = tokens(mapped(state, statistics) if statistics else state)
            with torch.no_grad():
                z, y = model(x[None], p[None], project=False)[:2]
            state_back = from_tokens(y[0], state)
            if statistics:
                state_back = mapped(state_back, statistics, inverse=True)
            rebuilt = torch.load(file, weights_only=True)
            pairs = [("embedding", torch.tensor(entry["embedding"]), z[0].mean(0))]
            pairs += [("reconstruction", rebuilt[key], state_back[key]) for key in rebuilt]
            for what, ours, theirs in pairs:
                scale = max(1.0, theirs.abs().max().item())
                worst[what] = max(worst[what], (ours - theirs).abs().max().item() / scale)
        results.append({"case": case["name"], "networks": len(embedded), **worst})
    print(json.dumps(results))


{"make": make, "check": check}[sys.argv[1]](Path(sys.argv[2]))
