"""OLMo 1 to 3 of the Allen Institute: no weights of normalisation in 1, queries and keys normalised over all heads
from 2 on.
"""

from dataclasses import replace

from model.network.config import Config
from model.network.family import LAYERS, attention, dense, layer_windows
from model.network.language import LanguageModel

MODEL_TYPES = ("olmo", "olmo2", "olmo3")


def read(config: Config) -> LanguageModel:
    """The model."""
    kind, layers = config.text("model_type"), config.whole(*LAYERS)
    if kind == "olmo":
        return replace(dense(config, norms=0), vectors=0)
    window = config.whole("sliding_window") if kind == "olmo3" and config.has("sliding_window") else None
    model = dense(config, windows=layer_windows(config, layers, window, period=4))
    part = attention(config)
    more = (part.heads + part.kv_heads) * part.head_size
    return replace(model, groups=tuple((replace(b, vectors=b.vectors + more), n) for b, n in model.groups))
