"""GPT-J: one normalisation, attention and feed-forward side by side, biases of the feed-forward part and the head."""

from model.network.config import Config
from model.network.family import HEADS, LAYERS, attention, build, hidden_size
from model.network.language import Block, FeedForward, LanguageModel

MODEL_TYPES = ("gptj", "codegen")


def read(config: Config) -> LanguageModel:
    """The model."""
    hidden = hidden_size(config)
    config.whole(*HEADS)
    config.whole("n_positions")
    width = config.whole("n_inner", default=4 * hidden)
    block = Block(
        attention=attention(config),
        feed=FeedForward(width=width, gated=False),
        norms=1,
        vectors=2 * hidden + width + hidden,
    )
    return build(config, [block] * config.whole(*LAYERS), vectors=2 * hidden + config.whole("vocab_size"))
