"""gpt-oss: experts with biases, every second layer slides, a sink for each head."""

from dataclasses import replace

from model.network.config import Config
from model.network.family import LAYERS, attention, build, hidden_size, layer_windows, query_bias
from model.network.language import Block, FeedForward, LanguageModel

MODEL_TYPES = ("gpt_oss",)


def read(config: Config) -> LanguageModel:
    """The model."""
    hidden, layers = hidden_size(config), config.whole(*LAYERS)
    part = attention(config)
    feed = FeedForward(
        width=config.whole("intermediate_size"),
        experts=config.whole("num_local_experts", "num_experts"),
        per_token=config.whole("num_experts_per_tok", "experts_per_token"),
    )
    vectors = 2 * hidden + part.heads + query_bias(part) + hidden
    vectors += feed.experts + feed.experts * (2 * feed.width + hidden)
    windows = layer_windows(config, layers, config.whole("sliding_window", default=128), period=2)
    return build(config, [Block(attention=replace(part, window=w), feed=feed, vectors=vectors) for w in windows])
