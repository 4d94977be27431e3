"""DBRX: sizes of attention and experts in parts of their own."""

from hw.base.error import InputError
from model.network.config import Config
from model.network.family import HEADS, LAYERS, build, hidden_size
from model.network.language import Attention, Block, FeedForward, LanguageModel

MODEL_TYPES = ("dbrx",)


def read(config: Config) -> LanguageModel:
    """The model."""
    hidden, heads = hidden_size(config), config.whole(*HEADS)
    inner, feed = config.part("attn_config"), config.part("ffn_config")
    if inner is None or feed is None:
        raise InputError(
            f"the configuration of {config.name} must have the fields 'attn_config' and 'ffn_config'; add them"
        )
    part = Attention(heads=heads, kv_heads=inner.whole("kv_n_heads"), head_size=config.head_size(hidden, heads))
    experts = FeedForward(
        width=feed.whole("ffn_hidden_size"), experts=feed.whole("moe_num_experts"), per_token=feed.whole("moe_top_k")
    )
    return build(config, [Block(attention=part, feed=experts, vectors=2 * hidden)] * config.whole(*LAYERS))
