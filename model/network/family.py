"""What families share: the attention, the layers and the frame of a model from the fields most files have."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from hw.base.error import InputError
from model.network.config import Config
from model.network.language import Attention, Block, FeedForward, LanguageModel
from model.network.quantization import read_quantization

HIDDEN = ("hidden_size", "n_embd", "d_model", "embed_dim")
HEADS = ("num_attention_heads", "n_head", "n_heads")
LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
FULL, SLIDING, CHUNKED, LINEAR = "full_attention", "sliding_attention", "chunked_attention", "linear_attention"


STORED = {
    "float32": "fp32",
    "float16": "fp16",
    "bfloat16": "bf16",
    "float8_e4m3fn": "fp8_e4m3",
    "float8_e5m2": "fp8_e5m2",
    "int8": "int8",
}
"""Name of a number format in a file -> ours."""


def stored_format(config: Config) -> str:
    """The number format that the file gives its weights; "" if it gives none."""
    found = config.text("torch_dtype", "dtype", default="auto").removeprefix("torch.")
    if found not in STORED and found != "auto":
        raise InputError(f"torch_dtype of {config.name} must be one of {', '.join(STORED)} or auto, not {found!r}")
    return STORED.get(found, "")


def hidden_size(config: Config) -> int:
    """Elements of a token between layers."""
    return config.whole(*HIDDEN)


def attention(config: Config, *, window: int | None = None, gated: bool = False) -> Attention:
    """Attention with grouped keys and values, all equal to the heads where the file says nothing."""
    heads = config.whole(*HEADS)
    return Attention(
        heads=heads,
        kv_heads=config.whole("num_key_value_heads", "num_kv_heads", "n_head_kv", default=heads),
        head_size=config.head_size(hidden_size(config), heads),
        window=window,
        gated=gated,
    )


def query_bias(part: Attention) -> int:
    """Biases of queries, keys and values."""
    return part.heads * part.head_size + part.kv_heads * (part.head_size + part.values)


def head_norms(part: Attention) -> int:
    """Normalisation of queries and of keys over a head."""
    return 2 * part.head_size


def layer_windows(config: Config, layers: int, window: int | None, *, period: int | None = None) -> list[int | None]:
    """The window of each layer: as `layer_types` lists them, else every `period`-th sees all, else the same for all."""
    kinds = config.each(layers, "layer_types", known=(FULL, SLIDING, CHUNKED))
    if window is None:
        return [None] * layers
    if kinds:
        return [window if kind in (SLIDING, CHUNKED) else None for kind in kinds]
    if period:
        return [None if (i + 1) % period == 0 else window for i in range(layers)]
    return [window] * layers


def grouped(blocks: Iterable[Block]) -> tuple[tuple[Block, int], ...]:
    """Equal layers counted together."""
    counts: dict[Block, int] = {}
    for block in blocks:
        counts[block] = counts.get(block, 0) + 1
    return tuple(counts.items())


def build(
    config: Config,
    blocks: Iterable[Block],
    *,
    tied: bool = False,
    vectors: int | None = None,
    unread: tuple[str, ...] = (),
    **more: Any,
) -> LanguageModel:
    """The model of these layers; `vectors` None: one normalisation without bias behind them."""
    hidden = hidden_size(config)
    return LanguageModel(
        name=config.name,
        family=config.text("model_type"),
        hidden=hidden,
        vocabulary=config.whole("vocab_size", "padded_vocab_size", "embedding_size"),
        positions=config.positions(),
        groups=grouped(blocks),
        tied=config.flag("tie_word_embeddings", default=tied),
        vectors=hidden if vectors is None else vectors,
        quantization=read_quantization(config),
        stored=stored_format(config),
        unread=unread,
        **more,
    )


def each(layers: int, block: Callable[[int], Block]) -> list[Block]:
    """The layers by number."""
    return [block(index) for index in range(layers)]


def dense(
    config: Config,
    *,
    norms: int = 2,
    qkv_bias: bool = False,
    output_bias: bool = False,
    feed_bias: bool = False,
    norm_bias: bool = False,
    head_norm: bool = False,
    gated: bool = True,
    windows: list[int | None] | None = None,
    tied: bool = False,
    width: int | None = None,
) -> LanguageModel:
    """Layers shaped like Llama's: attention and one dense feed-forward part, with the extras given."""
    hidden, layers = hidden_size(config), config.whole(*LAYERS)
    width = width or config.whole("intermediate_size", "ffn_hidden_size", "ffn_dim", "n_inner")
    part = attention(config)
    vectors = norms * hidden * (2 if norm_bias else 1) + (head_norms(part) if head_norm else 0)
    vectors += (query_bias(part) if qkv_bias else 0) + (hidden if output_bias else 0)
    vectors += ((2 if gated else 1) * width + hidden) if feed_bias else 0
    feed = FeedForward(width=width, gated=gated)
    each_window: list[int | None] = list(windows) if windows else [None] * layers
    return build(
        config,
        tied=tied,
        vectors=hidden * (2 if norm_bias else 1),
        blocks=(Block(attention=replace(part, window=w), feed=feed, vectors=vectors, norms=norms) for w in each_window),
    )
