"""A pretraining step of SANE: both losses, backward, AdamW."""

import torch
from sane import Sane
from torch.nn import functional as F
from turns import arguments, autocast, inputs_of, set_precision, take_turns

tensors, _, config = arguments()
weights, inputs = inputs_of(tensors)
tokens, mask, positions = inputs["tokens"], inputs["mask"], inputs["positions"].long()


def contrastive_loss(projections):
    """NT-Xent: rows i and n + i are views of one sample."""
    rows = len(projections)
    unit = F.normalize(projections, eps=1e-8)
    similarity = (unit @ unit.T / config["temperature"]).fill_diagonal_(-torch.inf)
    return F.cross_entropy(similarity, (torch.arange(rows, device=similarity.device) + rows // 2) % rows)


def optimizer_of(model):
    """Matrices and embeddings decay, vectors do not. The fused AdamW is the fastest one on the CPU too."""
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": config["weight_decay"]},
        {"params": [p for p in model.parameters() if p.ndim == 1], "weight_decay": 0},
    ]
    return torch.optim.AdamW(groups, lr=config["learning_rate"], fused=True)


def prepare(compiled=False, precision="float32"):
    model = Sane(weights, config["layers"], config["heads"]).to(config["device"])
    optimizer = optimizer_of(model)
    if compiled:
        model = torch.compile(model)
    gamma = config["gamma"]
    losses = []

    def step():
        set_precision(precision)
        optimizer.zero_grad()
        with autocast(config["device"], precision):
            _, output, projections = model(tokens, positions)
        output, projections = output.float(), projections.float()
        count = mask.numel() if config["padding_in_loss"] else mask.sum()
        reconstruction = (mask * output - tokens).square().sum() / count
        contrast = contrastive_loss(projections)
        total = (1 - gamma) * reconstruction + gamma * contrast
        total.backward()
        optimizer.step()
        losses[:] = [total.detach(), reconstruction.detach(), contrast.detach()]

    return step, lambda: losses


take_turns(
    {
        "PyTorch": prepare,
        "PyTorch, torch.compile": lambda: prepare(compiled=True),
        "PyTorch, float32": prepare,
        "PyTorch, TF32": lambda: prepare(precision="TF32"),
        "PyTorch, mixed precision": lambda: prepare(precision="mixed precision"),
    }
)
