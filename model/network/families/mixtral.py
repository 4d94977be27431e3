"""Mixtral, Phi-MoE, Granite MoE, OLMoE, MiniMax M2, Grok: every layer chooses among equal experts."""

from dataclasses import replace

from model.network.config import Config
from model.network.family import LAYERS, attention, build, hidden_size, layer_windows, query_bias
from model.network.language import Block, FeedForward, LanguageModel

MODEL_TYPES = ("mixtral", "phimoe", "granitemoe", "granitemoeshared", "olmoe", "minimax_m2", "grok-1", "flex_olmo")


def read(config: Config) -> LanguageModel:
    """The model."""
    kind, hidden, layers = config.text("model_type"), hidden_size(config), config.whole(*LAYERS)
    part = attention(config)
    feed = FeedForward(
        width=config.whole("moe_intermediate_size", "intermediate_size"),
        experts=config.whole("num_local_experts", "num_experts", "n_routed_experts"),
        per_token=config.whole("num_experts_per_tok", "num_selected_experts"),
        shared=config.whole("shared_intermediate_size", default=0, least=0),
    )
    window = config.whole("sliding_window") if kind in ("mixtral", "phimoe") and config.has("sliding_window") else None
    if window is not None and window >= config.positions():
        window = None
    vectors = 2 * hidden
    if kind == "phimoe":  # normalisations with bias, biases of attention
        vectors += 2 * hidden + (query_bias(part) + hidden if config.flag("attention_bias") else 0)
    elif kind in ("olmoe", "flex_olmo", "minimax_m2"):  # queries and keys normalised over all heads
        vectors += (part.heads + part.kv_heads) * part.head_size
        if kind == "minimax_m2":
            vectors += feed.experts if config.flag("use_routing_bias", default=True) else 0
    elif kind == "grok-1":
        vectors += 2 * hidden
    rest = hidden * (2 if kind == "phimoe" else 1)
    if kind == "phimoe" and config.flag("lm_head_bias"):
        rest += config.whole("vocab_size")
    blocks = [
        Block(attention=replace(part, window=w), feed=feed, vectors=vectors)
        for w in layer_windows(config, layers, window)
    ]
    return build(config, blocks, vectors=rest, tied=kind in ("granitemoe", "granitemoeshared", "grok-1"))
