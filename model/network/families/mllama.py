"""Llama 3.2 with images: some layers attend to the image instead of the text; without an image they are passed over."""

from model.network.config import Config
from model.network.family import LAYERS, attention, build, each, head_norms, hidden_size
from model.network.language import Block, FeedForward, LanguageModel, State

MODEL_TYPES = ("mllama_text_model",)
DEFAULTS = {
    "vocab_size": 128256,
    "hidden_size": 4096,
    "num_hidden_layers": 40,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "intermediate_size": 14336,
    "max_position_embeddings": 131072,
    "cross_attention_layers": [3, 8, 13, 18, 23, 28, 33, 38],
}


def read(config: Config) -> LanguageModel:
    """The language part; the keys and values of an image are not in the cache of the text."""
    hidden, part = hidden_size(config), attention(config)
    feed = FeedForward(width=config.whole("intermediate_size"))
    crossed = config.items("cross_attention_layers")
    text = Block(attention=part, feed=feed, vectors=2 * hidden)
    image = Block(
        state=State(projections=tuple(part.matrices(hidden)), elements=0, work=0),
        feed=feed,
        vectors=2 * hidden + head_norms(part) + 2,
    )
    layers = each(config.whole(*LAYERS), lambda i: image if i in crossed else text)
    # eight further tokens have embeddings and no output
    return build(config, layers, vectors=hidden + 8 * hidden, unread=("images",))
