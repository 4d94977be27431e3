"""HyperCLOVA X SEED of Naver: Llama's shape with scaled embeddings; the thinking models normalise behind each part
too.
"""

from model.network.config import Config
from model.network.family import dense
from model.network.language import LanguageModel

MODEL_TYPES = ("hyperclovax",)


def read(config: Config) -> LanguageModel:
    """The model."""
    biased = config.flag("attention_bias")
    return dense(
        config,
        norms=4 if config.flag("use_post_norm") else 2,
        qkv_bias=biased,
        output_bias=biased,
        feed_bias=config.flag("mlp_bias"),
    )
