"""A pretraining step of SANE: both losses, backward, AdamW."""

import torch
from sane import Sane
from torch.nn import functional as F
from turns import arguments, inputs_of, take_turns

tensors, _, config = arguments()
weights, inputs = inputs_of(tensors)
tokens, mask, positions = inputs["tokens"], inputs["mask"], inputs["positions"].long()


def contrastive_loss(projections):
    """NT-Xent: rows i and n + i are views of one sample."""
    rows = len(projections)
    unit = F.normalize(projections, eps=1e-8)
    similarity = (unit @ unit.T / config["temperature"]).fill_diagonal_(-torch.inf)
    return F.cross_entropy(similarity, (torch.arange(rows) + rows // 2) % rows)


def optimizer_of(model):
    """Matrices and embeddings decay, vectors do not. The fused AdamW is the fastest one on the CPU too."""
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": config["weight_decay"]},
        {"params": [p for p in model.parameters() if p.ndim == 1], "weight_decay": 0},
    ]
    return torch.optim.AdamW(groups, lr=config["learning_rate"], fused=True)


def prepare(compiled):
    model = Sane(weights, config["layers"], config["heads"])
    optimizer = optimizer_of(model)
    if compiled:
        model = torch.compile(model)
    gamma = config["gamma"]
    losses = []

    def step():
        optimizer.zero_grad()
        _, output, projections = model(tokens, positions)
        reconstruction = (mask * output - tokens).square().sum() / mask.sum()
        contrast = contrastive_loss(projections)
        total = (1 - gamma) * reconstruction + gamma * contrast
        total.backward()
        optimizer.step()
        losses[:] = [total.item(), reconstruction.item(), contrast.item()]

    return step, lambda: losses


take_turns({"PyTorch": lambda: prepare(False), "PyTorch, torch.compile": lambda: prepare(True)})
