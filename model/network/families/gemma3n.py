"""Gemma 3n: a table of embeddings for every layer, four streams between layers, later layers that read earlier
caches.
"""

from dataclasses import replace

from hw.base.error import InputError
from model.network.config import Config
from model.network.family import LAYERS, attention, build, each, head_norms, hidden_size, layer_windows
from model.network.language import Block, FeedForward, LanguageModel, Matrix, State

MODEL_TYPES = ("gemma3n", "gemma3n_text")
DEFAULTS = {
    "vocab_size": 262400,
    "vocab_size_per_layer_input": 262144,
    "hidden_size": 2048,
    "hidden_size_per_layer_input": 256,
    "intermediate_size": 16384,
    "num_hidden_layers": 35,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 256,
    "max_position_embeddings": 32768,
    "sliding_window": 512,
    "num_kv_shared_layers": 15,
    "laurel_rank": 64,
    "altup_num_inputs": 4,
}


def read(config: Config) -> LanguageModel:
    """The model; the projections between its streams are counted, their routing is taken as one of the
    normalisations."""
    hidden, layers = hidden_size(config), config.whole(*LAYERS)
    part, narrow = attention(config), config.whole("hidden_size_per_layer_input")
    rank, streams = config.whole("laurel_rank"), config.whole("altup_num_inputs")
    windows = layer_windows(config, layers, config.whole("sliding_window"), period=5)
    first_shared = layers - config.whole("num_kv_shared_layers", least=0)
    widths = config.get("intermediate_size")
    widths = (
        [Config(config.name, {"intermediate_size": w}).whole("intermediate_size") for w in widths]
        if isinstance(widths, list)
        else []
    )
    if widths and len(widths) != layers:
        raise InputError(f"intermediate_size of {config.name} must list its {layers} layers, not {len(widths)} of them")
    extra = State(
        projections=(
            Matrix(path="laurel.linear_left", columns=rank, rows=hidden, cut="copied"),
            Matrix(path="laurel.linear_right", columns=hidden, rows=rank, cut="copied"),
            Matrix(path="per_layer_input_gate", columns=narrow, rows=hidden, cut="copied"),
            Matrix(path="per_layer_projection", columns=hidden, rows=narrow, cut="copied"),
            Matrix(path="altup.modality_router", columns=streams, rows=hidden, cut="copied"),
        ),
        elements=0,
        work=streams * streams * hidden,
    )
    vectors = 4 * hidden + head_norms(part) + 3 * hidden + hidden + streams * streams + streams * streams * streams

    def block(index: int) -> Block:
        width = widths[index] if widths else config.whole("intermediate_size")
        return Block(
            attention=replace(part, window=windows[index], shares_cache=index >= first_shared),
            state=extra,
            feed=FeedForward(width=width),
            vectors=vectors,
            norms=6,
        )

    rest = hidden + 2 * (streams - 1) * hidden * hidden + hidden * layers * narrow + narrow
    return build(
        config,
        each(layers, block),
        tied=True,
        vectors=rest,
        embeddings_per_layer=layers * narrow,
        unread=("sound and images",),
    )
