"""Made the .pt files beside it, with PyTorch 2.15.0. What they hold, formats.test.ts says again."""

import torch

base = torch.arange(24.0).reshape(4, 6) / 4 - 2
state = {
    "float64": base.double(),
    "float32": base.clone(),
    "float16": base.half(),
    "bfloat16": base.bfloat16(),
    "int64": base.long(),
    "int32": base.int(),
    "int16": base.short(),
    "int8": base.to(torch.int8),
    "uint8": torch.arange(24, dtype=torch.uint8).reshape(4, 6) + 200,
    "bool": base > 0,
    "transposed": base.t(),
    "row": base[1],
    "columns": base[:, 2:4],
    "expanded": torch.tensor([3.5]).expand(2, 3),
    "parameter": torch.nn.Parameter(base.clone()),
    "scalar": torch.tensor(2.5),
    "empty": torch.zeros(0, 3),
}
torch.save(state, "zip.pt")
torch.save(state, "legacy.pt", _use_new_zipfile_serialization=False)
torch.save({"uint16": base.abs().to(torch.uint16)}, "untyped.pt")
torch.save(state, "protocol4.pt", pickle_protocol=4)

model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
with torch.no_grad():
    for i, p in enumerate(model.parameters()):
        p.copy_(torch.arange(p.numel()).reshape(p.shape) + 10 * i)
optimizer = torch.optim.AdamW(model.parameters())
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=10)
model(torch.ones(4, 2)).sum().backward()
optimizer.zero_grad()
optimizer.step()
saved = {
    "model": {"_orig_mod." + k: v for k, v in model.state_dict().items()},
    "optimizer": optimizer.state_dict(),
    "scheduler": scheduler.state_dict(),
}
torch.save(saved, "training.pt")
