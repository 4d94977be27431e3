"""Models with biased normalisations or two plain feed-forward matrices: StarCoder2, StableLM, Nemotron, Arcee,
Apertus, Orion, Persimmon.
"""

from dataclasses import replace

from model.network.config import Config
from model.network.family import LAYERS, attention, dense, head_norms, layer_windows
from model.network.language import LanguageModel

MODEL_TYPES = ("starcoder2", "stablelm", "stablelm_epoch", "nemotron", "arcee", "apertus", "orion", "persimmon")


def read(config: Config) -> LanguageModel:
    """The model."""
    kind, layers = config.text("model_type"), config.whole(*LAYERS)
    if kind == "starcoder2":
        biased = config.flag("use_bias", default=True)
        window = config.whole("sliding_window") if config.has("sliding_window") else None
        return dense(
            config,
            norm_bias=True,
            gated=False,
            qkv_bias=biased,
            output_bias=biased,
            feed_bias=biased,
            tied=True,
            windows=layer_windows(config, layers, window),
        )
    if kind in ("stablelm", "stablelm_epoch"):
        return dense(config, norm_bias=True, qkv_bias=config.flag("use_qkv_bias"))
    if kind == "orion":
        return dense(config, norm_bias=True)
    if kind == "nemotron":
        return dense(config, norm_bias=True, gated=False)
    if kind == "persimmon":
        return dense(config, norm_bias=True, gated=False, qkv_bias=True, output_bias=True, feed_bias=True)
    model = dense(
        config, gated=False, qkv_bias=config.flag("attention_bias"), output_bias=config.flag("attention_bias")
    )
    if kind == "arcee":
        return model
    more = head_norms(attention(config)) + 2  # and two numbers of the activation
    return replace(model, groups=tuple((replace(b, vectors=b.vectors + more), n) for b, n in model.groups))
