"""The decoder in FP32 or FP64 NumPy, many sequences at once: what the fixed formats are measured against."""

from collections.abc import Callable

import numpy as np

from model.language.config import DecoderConfig

Product = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(inputs (..., in), weights (out, in)) -> (..., out)."""


def plain_product(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """x W^T in the operands' own precision."""
    return x @ w.T


def forward(
    config: DecoderConfig, weights: dict[str, np.ndarray], tokens: np.ndarray, product: Product = plain_product
) -> np.ndarray:
    """Logits (sequences, positions, vocabulary) of `tokens` (sequences, positions); `product` makes the projections."""
    b, t = tokens.shape
    half = config.head_dim // 2
    angle = np.outer(np.arange(t), config.rope_theta ** (-np.arange(half) / half))
    cosine, sine = np.cos(angle).astype(np.float32)[:, None], np.sin(angle).astype(np.float32)[:, None]
    causal = np.tril(np.ones((t, t), bool))

    def norm(x: np.ndarray, gain: np.ndarray) -> np.ndarray:
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + np.float32(config.rms_norm_eps)) * gain

    def rotate(x: np.ndarray) -> np.ndarray:
        lower, upper = x[..., :half], x[..., half:]
        return np.concatenate([lower * cosine - upper * sine, upper * cosine + lower * sine], -1)

    x = weights["model.embed_tokens.weight"][tokens]
    for layer in range(config.num_hidden_layers):
        at = f"model.layers.{layer}."
        y = norm(x, weights[at + "input_layernorm.weight"])
        q = rotate(product(y, weights[at + "self_attn.q_proj.weight"]).reshape(b, t, -1, config.head_dim))
        k = rotate(product(y, weights[at + "self_attn.k_proj.weight"]).reshape(b, t, -1, config.head_dim))
        v = product(y, weights[at + "self_attn.v_proj.weight"]).reshape(b, t, -1, config.head_dim)
        k, v = np.repeat(k, config.group, 2), np.repeat(v, config.group, 2)
        scores = np.einsum("bihd,bjhd->bhij", q, k) * np.float32(config.head_dim**-0.5)
        scores = np.where(causal, scores, -np.inf)
        chance = np.exp(scores - scores.max(-1, keepdims=True))
        chance /= chance.sum(-1, keepdims=True)
        mixed = np.einsum("bhij,bjhd->bihd", chance, v).reshape(b, t, -1)
        x = x + product(mixed, weights[at + "self_attn.o_proj.weight"])
        y = norm(x, weights[at + "post_attention_layernorm.weight"])
        gate = product(y, weights[at + "mlp.gate_proj.weight"])
        up = gate / (1 + np.exp(-gate)) * product(y, weights[at + "mlp.up_proj.weight"])
        x = x + product(up, weights[at + "mlp.down_proj.weight"])
    head = weights["model.embed_tokens.weight" if config.tie_word_embeddings else "lm_head.weight"]
    return product(norm(x, weights["model.norm.weight"]), head)


def bits(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Bits that each target costs: -log2 of its softmax."""
    wide = logits.astype(np.float64)
    wide -= wide.max(-1, keepdims=True)
    chosen = np.take_along_axis(wide, targets[..., None], -1)[..., 0]
    return (np.log(np.exp(wide).sum(-1)) - chosen) / np.log(2)


def windows(tokens: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, targets and which targets count: windows of `length` every half length, so that each target but the
    first half window has at least half a window before it."""
    step = length // 2
    starts = np.arange(0, len(tokens) - length, step)
    inputs = np.stack([tokens[s : s + length] for s in starts])
    targets = np.stack([tokens[s + 1 : s + length + 1] for s in starts])
    counted = np.zeros(targets.shape, bool)
    counted[:, length - step :] = True
    counted[0] = True
    return inputs, targets, counted


def bits_per_character(
    config: DecoderConfig,
    weights: dict[str, np.ndarray],
    tokens: np.ndarray,
    pieces: list[str],
    product: Product = plain_product,
    batch: int = 16,
) -> float:
    """Mean bits per character of `tokens`, windows of the whole context."""
    inputs, targets, counted = windows(tokens, config.max_position_embeddings)
    lengths = np.array([len(piece) for piece in pieces])
    cost = characters = 0.0
    for first in range(0, len(inputs), batch):
        part = slice(first, first + batch)
        found = bits(forward(config, weights, inputs[part], product), targets[part])
        cost += float(found[counted[part]].sum())
        characters += float(lengths[targets[part][counted[part]]].sum())
    return cost / characters
