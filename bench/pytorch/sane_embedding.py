"""Embeddings of whole models: windows with context on both sides, which is dropped; the mean over tokens."""

import torch
from sane import Sane
from turns import arguments, inputs_of, take_turns

tensors, _, config = arguments()
weights, inputs = inputs_of(tensors)
models, source, positions = inputs["models"], inputs["source"].long(), inputs["positions"].long()
snippets, window = config["snippets"], config["window"]


def prepare(batch_rows):
    sane = Sane(weights, config["layers"], config["heads"]).eval()
    padding, index = source < 0, source.clamp(min=0)
    means = []

    @torch.inference_mode()
    def step():
        tokens = models[:, index].masked_fill(padding, 0)
        windows = torch.cat([tokens[:, start : start + window] for start, _, _ in snippets])
        places = torch.cat([positions[start : start + window].expand(len(models), -1, -1) for start, _, _ in snippets])
        batches = zip(windows.split(batch_rows), places.split(batch_rows))
        parts = torch.cat([sane.encode(*batch) for batch in batches]).split(len(models))
        kept = [z[:, first - start : last - start] for z, (start, first, last) in zip(parts, snippets)]
        means[:] = [torch.cat(kept, 1).mean(1)]

    return step, lambda: means[0].flatten()


take_turns(
    {
        "PyTorch, one batch": lambda: prepare(len(models) * len(snippets)),
        "PyTorch, batches of 32": lambda: prepare(32),
    }
)
