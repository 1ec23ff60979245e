"""SANE's autoencoder in PyTorch, with this project's names of parameters (src/sane/model.ts)."""

import torch
from torch import nn
from torch.nn import functional as F


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(width, 3 * width, bias=False)
        self.c_proj = nn.Linear(width, width, bias=False)

    def forward(self, x):
        q, k, v = self.c_attn(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return self.c_proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, bias=False)
        self.attn = Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width, bias=False)
        self.mlp = nn.ModuleDict(
            {"c_fc": nn.Linear(width, 4 * width, bias=False), "c_proj": nn.Linear(4 * width, width, bias=False)}
        )

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp["c_proj"](F.gelu(self.mlp["c_fc"](self.ln_2(x))))


class Stack(nn.Module):
    def __init__(self, layers, width, heads):
        super().__init__()
        self.transformer = nn.Sequential(*(Block(width, heads) for _ in range(layers)))

    def forward(self, x):
        return self.transformer(x)


class PositionEmbedding(nn.Module):
    """Tables of token and layer added, beside that of the row."""

    def __init__(self, sizes, width):
        super().__init__()
        self.pe1, self.pe2, self.pe3 = (nn.Embedding(size, width // 2) for size in sizes)

    def forward(self, positions):
        token, layer, row = positions.unbind(-1)
        return torch.cat([self.pe1(token) + self.pe2(layer), self.pe3(row)], -1)


class ProjectionHead(nn.Module):
    def __init__(self, inputs, width):
        super().__init__()
        self.head = nn.Sequential(
            nn.Linear(inputs, width, bias=False),
            nn.LayerNorm(width),
            nn.ReLU(),
            nn.Linear(width, width, bias=False),
            nn.LayerNorm(width),
            nn.ReLU(),
        )

    def forward(self, z):
        return self.head(z.flatten(1))


class Sane(nn.Module):
    """Has the sizes of the weights it is given, and holds those."""

    def __init__(self, weights, layers, heads):
        super().__init__()
        width, token = weights["tokenizer.weight"].shape
        latent = weights["encoder_comp.weight"].shape[0]
        head, inputs = weights["projection_head.head.0.weight"].shape
        self.tokenizer = nn.Linear(token, width)
        self.pe = PositionEmbedding([len(weights[f"pe.pe{i}.weight"]) for i in (1, 2, 3)], width)
        self.transformer_encoder = Stack(layers, width, heads)
        self.encoder_comp = nn.Linear(width, latent)
        self.decoder_comp = nn.Linear(latent, width)
        self.transformer_decoder = Stack(layers, width, heads)
        self.detokenizer = nn.Linear(width, token)
        self.projection_head = ProjectionHead(inputs, head)
        self.load_state_dict(weights)

    def encode(self, tokens, positions):
        return self.encoder_comp(self.transformer_encoder(self.tokenizer(tokens) + self.pe(positions)))

    def decode(self, z, positions):
        return self.detokenizer(self.transformer_decoder(self.decoder_comp(z) + self.pe(positions)))

    def forward(self, tokens, positions, project=True):
        """Embeddings, reconstruction, projections (of whole windows only)."""
        z = self.encode(tokens, positions)
        return z, self.decode(z, positions), self.projection_head(z) if project else None
