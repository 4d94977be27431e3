"""Llama 1 to 3, and those that keep its shape and its field names: Solar, Kanana, Yi, Granite, SmolLM3, Seed-OSS and
others.
"""

from model.network.config import Config
from model.network.family import LAYERS, dense, layer_windows
from model.network.language import LanguageModel

MODEL_TYPES = (
    "llama",
    "yi",
    "Yi",
    "aquila",
    "aquila3",
    "granite",
    "smollm3",
    "seed_oss",
    "internlm",
    "internlm2",
    "internlm3",
    "baichuan",
    "xverse",
    "minicpm",
    "helium",
    "ernie4_5",
    "ernie4_5_vl_text",
    "solar",
    "ministral",
    "mistral",
    "ministral3",
    "diffllama",
)
DEFAULTS = {
    "vocab_size": 32000,
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "max_position_embeddings": 2048,
}
"""Of LlamaConfig in transformers."""


def read(config: Config) -> LanguageModel:
    """Attention and a gated feed-forward part, each behind a normalisation without bias."""
    kind = config.text("model_type")
    layers = config.whole(*LAYERS)
    biased = config.flag("attention_bias", "use_bias", "qkv_bias", "bias")
    window = None
    if kind in ("mistral", "ministral", "ministral3", "solar") and config.has("sliding_window"):
        window = config.whole("sliding_window")
    return dense(
        config,
        qkv_bias=biased,
        output_bias=config.flag("attention_out_bias", default=biased and kind != "seed_oss"),
        feed_bias=config.flag("mlp_bias", "use_bias", default=False),
        windows=layer_windows(config, layers, window),
        tied=kind in ("minicpm", "smollm3", "granite", "ernie4_5", "ernie4_5_vl_text"),
    )
