"""EXAONE 3, 3.5 and 4 of LG AI Research: from 4 on normalisations behind each part, normalised heads and, in the
largest, windows.
"""

from dataclasses import replace

from model.network.config import Config
from model.network.family import LAYERS, attention, build, dense, each, head_norms, hidden_size, layer_windows
from model.network.language import Block, FeedForward, LanguageModel

MODEL_TYPES = ("exaone", "exaone4", "exaone_moe")


def read(config: Config) -> LanguageModel:
    """The model."""
    kind, layers = config.text("model_type"), config.whole(*LAYERS)
    if kind == "exaone":
        return dense(config)
    windows: list[int | None] = [None] * layers
    if config.has("sliding_window"):
        pattern = config.get("sliding_window_pattern", default="LLLG")
        if isinstance(pattern, str):  # L: local, G: all; the last layer sees all
            kinds = [pattern[i % len(pattern)] for i in range(layers - 1)] + ["G"]
            windows = [config.whole("sliding_window") if k == "L" else None for k in kinds]
        else:
            windows = layer_windows(
                config, layers, config.whole("sliding_window"), period=config.whole("sliding_window_pattern")
            )
        if config.has("layer_types"):
            windows = layer_windows(config, layers, config.whole("sliding_window"))
    if kind == "exaone4":
        return dense(config, head_norm=True, windows=windows)
    hidden, part, width = hidden_size(config), attention(config), config.whole("moe_intermediate_size")
    first = config.whole("first_k_dense_replace", "first_last_k_dense_replace", default=1, least=0)
    experts = FeedForward(
        width=width,
        experts=config.whole("num_experts", "n_routed_experts"),
        per_token=config.whole("num_experts_per_tok"),
        shared=width * config.whole("num_shared_experts", "n_shared_experts", default=1, least=0),
    )
    vectors = 2 * hidden + head_norms(part)

    def block(index: int) -> Block:
        here = replace(part, window=windows[index])
        if index < first:
            return Block(attention=here, feed=FeedForward(width=config.whole("intermediate_size")), vectors=vectors)
        return Block(attention=here, feed=experts, vectors=vectors + experts.experts)

    return build(config, each(layers, block), unread=("prediction of a further token",))
