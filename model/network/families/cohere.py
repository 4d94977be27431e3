"""Command R, R7B, A and Aya of Cohere: one normalisation before both parts, tied embeddings, windows from 2 on."""

from dataclasses import replace

from model.network.config import Config
from model.network.family import LAYERS, attention, dense, layer_windows
from model.network.language import LanguageModel

MODEL_TYPES = ("cohere", "cohere2")


def read(config: Config) -> LanguageModel:
    """The model; every fourth layer of the second generation sees all."""
    windows = layer_windows(
        config,
        config.whole(*LAYERS),
        config.whole("sliding_window", default=4096) if config.text("model_type") == "cohere2" else None,
        period=config.whole("sliding_window_pattern", default=4),
    )
    model = dense(
        config,
        norms=1,
        tied=True,
        windows=windows,
        qkv_bias=config.flag("attention_bias"),
        output_bias=config.flag("attention_bias"),
    )
    if not config.flag("use_qk_norm"):
        return model
    part = attention(config)  # each head of queries and keys has its own weights
    more = (part.heads + part.kv_heads) * part.head_size
    return replace(model, groups=tuple((replace(b, vectors=b.vectors + more), n) for b, n in model.groups))
