"""Llama 4: one routed and one shared expert in every layer or every second, attention in chunks in three of four
layers.
"""

from dataclasses import replace

from model.network.config import Config
from model.network.family import CHUNKED, FULL, LAYERS, attention, build, each, hidden_size
from model.network.language import Block, FeedForward, LanguageModel

MODEL_TYPES = ("llama4", "llama4_text")
DEFAULTS = {
    "vocab_size": 202048,
    "hidden_size": 5120,
    "intermediate_size": 8192,
    "intermediate_size_mlp": 16384,
    "num_hidden_layers": 48,
    "num_attention_heads": 40,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "max_position_embeddings": 131072,
    "num_experts_per_tok": 1,
    "num_local_experts": 16,
    "interleave_moe_layer_step": 1,
    "attention_chunk_size": 8192,
}


def read(config: Config) -> LanguageModel:
    """The model; a chunk is taken as a window of its size, though a token at its start sees less."""
    hidden, layers = hidden_size(config), config.whole(*LAYERS)
    part, width = attention(config), config.whole("intermediate_size")
    step = config.whole("interleave_moe_layer_step", default=1)
    mixed = config.items("moe_layers", default=list(range(step - 1, layers, step)))
    chunk = config.whole("attention_chunk_size", default=8192)
    rope = config.each(layers, "no_rope_layers", known=(0, 1))
    kinds = config.each(layers, "layer_types", known=(FULL, CHUNKED))
    experts = FeedForward(
        width=width,
        experts=config.whole("num_local_experts"),
        per_token=config.whole("num_experts_per_tok"),
        shared=width,
    )

    def block(index: int) -> Block:
        full = kinds[index] == FULL if kinds else not rope[index] if rope else (index + 1) % 4 == 0
        return Block(
            attention=replace(part, window=None if full else chunk),
            vectors=2 * hidden,
            feed=experts if index in mixed else FeedForward(width=config.whole("intermediate_size_mlp")),
        )

    return build(config, each(layers, block))
