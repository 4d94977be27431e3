"""Gemma 1, 2, 3: tied embeddings, heads wider than hidden / heads; from 2 on four normalisations and sliding layers."""

from model.network.config import Config
from model.network.family import LAYERS, dense, layer_windows
from model.network.language import LanguageModel

MODEL_TYPES = ("gemma", "gemma2", "gemma3", "gemma3_text")
DEFAULTS = {
    "vocab_size": 262208,
    "hidden_size": 2304,
    "intermediate_size": 9216,
    "num_hidden_layers": 26,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 256,
    "max_position_embeddings": 131072,
    "sliding_window": 4096,
    "sliding_window_pattern": 6,
}
"""Of Gemma3TextConfig in transformers."""


def read(config: Config) -> LanguageModel:
    """The model: of Gemma 2 every second layer sees all, of Gemma 3 every sixth."""
    kind, layers = config.text("model_type"), config.whole(*LAYERS)
    if kind == "gemma":
        return dense(config, tied=True)
    third = kind != "gemma2"
    window = config.whole("sliding_window", default=4096)
    period = config.whole("sliding_window_pattern", "_sliding_window_pattern", default=6) if third else 2
    return dense(
        config, tied=True, norms=4, head_norm=third, windows=layer_windows(config, layers, window, period=period)
    )
