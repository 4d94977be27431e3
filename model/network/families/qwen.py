"""Qwen 1, 2, 2.5 and 3, dense and mixtures: biases of queries, keys, values up to 2.5, normalised heads from 3 on."""

from dataclasses import replace

from model.network.config import Config
from model.network.family import LAYERS, attention, build, dense, head_norms, hidden_size, query_bias
from model.network.language import Attention, Block, FeedForward, LanguageModel

THIRD = (
    "qwen3",
    "qwen3_vl_text",
    "qwen3_moe",
    "qwen3_vl_moe_text",
    "qwen3_omni_moe_text",
    "qwen3_omni_moe_talker_text",
)
MIXTURES = ("qwen2_moe", "qwen3_moe", "qwen3_vl_moe_text", "qwen3_omni_moe_text")
MODEL_TYPES = (
    "qwen",
    "qwen2",
    "qwen2_vl",
    "qwen2_vl_text",
    "qwen2_5_vl",
    "qwen2_5_vl_text",
    "qwen2_5_omni_text",
    "qwen2_moe",
    "mimo",
    "minicpmv",
    "minicpmo",
    "qwen3",
    "qwen3_vl_text",
    "qwen3_moe",
    "qwen3_vl_moe_text",
    "qwen3_omni_moe_text",
)
DEFAULTS = {
    "vocab_size": 151936,
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "intermediate_size": 22016,
    "max_position_embeddings": 32768,
}


def read(config: Config) -> LanguageModel:
    """The model; layers from `max_window_layers` on slide where the file switches windows on."""
    kind, layers = config.text("model_type"), config.whole(*LAYERS)
    if kind == "qwen":
        # each of the two halves of the gated part has half of the stated width
        return dense(config, qkv_bias=True, width=config.whole("intermediate_size") // 2)
    windows: list[int | None] = [None] * layers
    if config.flag("use_sliding_window") and config.has("sliding_window"):
        first = config.whole("max_window_layers", default=layers, least=0)
        windows = [config.whole("sliding_window") if i >= first else None for i in range(layers)]
    third = kind in THIRD
    biased = config.flag("attention_bias", "qkv_bias", default=not third)
    if kind not in MIXTURES:
        return dense(config, qkv_bias=biased, output_bias=biased and third, head_norm=third, windows=windows)
    return build(config, [_block(config, attention(config, window=w), i, third, biased) for i, w in enumerate(windows)])


def _block(config: Config, part: Attention, index: int, third: bool, biased: bool) -> Block:
    hidden = hidden_size(config)
    vectors = 2 * hidden + (head_norms(part) if third else 0) + (query_bias(part) if biased else 0)
    step = config.whole("decoder_sparse_step", default=1)
    if index in config.items("mlp_only_layers", default=[]) or (index + 1) % step:
        return Block(attention=part, feed=FeedForward(width=config.whole("intermediate_size")), vectors=vectors)
    shared = config.whole("shared_expert_intermediate_size", default=0, least=0)
    feed = FeedForward(
        width=config.whole("moe_intermediate_size"),
        experts=config.whole("num_experts", "num_local_experts"),
        per_token=config.whole("num_experts_per_tok"),
        shared=shared,
    )
    # the shared expert has a gate of one output
    return replace(Block(attention=part, feed=feed), vectors=vectors + (hidden if shared else 0))
