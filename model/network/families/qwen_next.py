"""Qwen3-Next and Qwen 3.5: three of four layers keep a gated linear attention, the fourth a gated softmax attention."""

from model.network.config import Config
from model.network.family import FULL, LAYERS, LINEAR, attention, build, each, head_norms, hidden_size
from model.network.language import Block, FeedForward, LanguageModel, Matrix, State

MODEL_TYPES = ("qwen3_next", "qwen3_5_text", "qwen3_5_moe_text")


def read(config: Config) -> LanguageModel:
    """The model; the heads of prediction beyond the next token are left out."""
    hidden, layers = hidden_size(config), config.whole(*LAYERS)
    kinds = config.each(layers, "layer_types", known=(FULL, LINEAR))
    period = config.whole("full_attention_interval", default=4)
    keys = config.whole("linear_num_key_heads") * config.whole("linear_key_head_dim")
    heads, size = config.whole("linear_num_value_heads"), config.whole("linear_value_head_dim")
    values, kernel = heads * size, config.whole("linear_conv_kernel_dim", default=4)
    state = State(
        projections=(
            Matrix(path="linear_attn.in_proj_qkvz", columns=2 * keys + 2 * values, rows=hidden),
            Matrix(path="linear_attn.in_proj_ba", columns=2 * heads, rows=hidden),
            Matrix(path="linear_attn.out_proj", columns=hidden, rows=values, cut="rows"),
        ),
        elements=heads * config.whole("linear_key_head_dim") * size + (2 * keys + values) * (kernel - 1),
        # the delta rule reads, corrects and writes the state, the query reads it
        work=3 * heads * config.whole("linear_key_head_dim") * size + (2 * keys + values) * kernel,
    )
    part = attention(config, gated=True)
    mixture = config.has("num_experts")
    shared = config.whole("shared_expert_intermediate_size", default=0, least=0)
    feed = (
        FeedForward(
            width=config.whole("moe_intermediate_size"),
            experts=config.whole("num_experts"),
            per_token=config.whole("num_experts_per_tok"),
            shared=shared,
        )
        if mixture
        else FeedForward(width=config.whole("intermediate_size"))
    )
    gate = hidden if mixture and shared else 0

    def block(index: int) -> Block:
        full = kinds[index] == FULL if kinds else (index + 1) % period == 0
        if full:
            return Block(attention=part, feed=feed, vectors=2 * hidden + head_norms(part) + gate)
        # convolution over queries, keys and values; decay and its bias a head; one normalisation of values
        return Block(
            state=state, feed=feed, vectors=2 * hidden + gate + (2 * keys + values) * kernel + 2 * heads + size
        )

    return build(config, each(layers, block), unread=("prediction of further tokens",))
