"""Phi 1 to 4: two feed-forward matrices and biases up to 2, shaped like Llama from 3 on."""

from model.network.config import Config
from model.network.family import LAYERS, attention, build, dense, hidden_size, layer_windows, query_bias
from model.network.language import Block, FeedForward, LanguageModel

MODEL_TYPES = ("phi", "phi-msft", "phi3", "phi3_v", "phi3small", "phi4mm", "phi4_multimodal")


def read(config: Config) -> LanguageModel:
    """The model."""
    kind, hidden, layers = config.text("model_type"), hidden_size(config), config.whole(*LAYERS)
    if kind in ("phi", "phi-msft"):
        part, width = attention(config), config.whole("intermediate_size", "n_inner", default=4 * hidden)
        block = Block(
            attention=part,
            feed=FeedForward(width=width, gated=False),
            norms=1,
            vectors=2 * hidden + query_bias(part) + hidden + width + hidden,
        )
        return build(config, [block] * layers, vectors=2 * hidden + config.whole("vocab_size"))
    if kind == "phi3small":
        part, width = attention(config), config.whole("ff_intermediate_size")
        block = Block(
            attention=part,
            feed=FeedForward(width=width),
            vectors=4 * hidden + query_bias(part) + hidden + 2 * width + hidden,
        )
        return build(config, [block] * layers, tied=True, vectors=2 * hidden)
    window = config.whole("sliding_window") if config.has("sliding_window") else None
    if window is not None and window >= config.positions():
        window = None  # files of the long versions state a window as long as the context
    return dense(config, windows=layer_windows(config, layers, window), tied=kind in ("phi4mm", "phi4_multimodal"))
