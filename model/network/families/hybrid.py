"""State and attention in turns or side by side: Falcon-H1, Jamba, Nemotron-H, Granite 4 hybrid, Bamba, LFM2."""

from math import ceil

from model.network.config import Config
from model.network.families.mamba import mamba1, mamba2
from model.network.family import FULL, LAYERS, attention, build, each, head_norms, hidden_size
from model.network.language import Block, FeedForward, LanguageModel, Matrix, State

MODEL_TYPES = ("falcon_h1", "jamba", "nemotron_h", "granitemoehybrid", "bamba", "lfm2", "lfm2_moe")


def read(config: Config) -> LanguageModel:
    """The model."""
    return {"jamba": _jamba, "nemotron_h": _nemotron, "lfm2": _lfm, "lfm2_moe": _lfm}.get(
        config.text("model_type"), _mamba2
    )(config)


def _mamba2(config: Config) -> LanguageModel:
    kind, hidden, layers = config.text("model_type"), hidden_size(config), config.whole(*LAYERS)
    part, heads = attention(config), config.whole("mamba_n_heads", default=128)
    inner = config.whole("mamba_d_ssm", default=config.whole("mamba_expand", default=2) * hidden)
    state, more = mamba2(
        config,
        inner,
        config.whole("mamba_d_state"),
        config.whole("mamba_n_groups", default=1),
        heads,
        config.whole("mamba_d_conv", default=4),
        "mamba",
        norm=config.flag("mamba_rms_norm", default=kind != "falcon_h1"),
    )
    if kind == "falcon_h1":
        block = Block(
            attention=part,
            state=state,
            feed=FeedForward(width=config.whole("intermediate_size")),
            vectors=2 * hidden + more,
        )
        return build(config, [block] * layers)
    kinds = config.each(layers, "layer_types", known=("attention", "mamba"))
    places = config.items("attn_layer_indices", default=[])
    experts = config.whole("num_local_experts", default=0, least=0)
    shared = config.whole("shared_intermediate_size", default=0, least=0)
    if experts:
        feed = FeedForward(
            width=config.whole("intermediate_size"),
            experts=experts,
            per_token=config.whole("num_experts_per_tok"),
            shared=shared,
        )
    else:
        feed = FeedForward(width=shared or config.whole("intermediate_size"))

    def block_of(index: int) -> Block:
        if (kinds[index] == "attention") if kinds else index in places:
            return Block(attention=part, feed=feed, vectors=2 * hidden)
        return Block(state=state, feed=feed, vectors=2 * hidden + more)

    return build(config, each(layers, block_of), tied=kind == "granitemoehybrid")


def _jamba(config: Config) -> LanguageModel:
    hidden, width = hidden_size(config), config.whole("intermediate_size")
    part, inner = attention(config), config.whole("mamba_expand", default=2) * hidden
    states, rank = config.whole("mamba_d_state", default=16), config.get("mamba_dt_rank", default="auto")
    rank = ceil(hidden / 16) if rank == "auto" else config.whole("mamba_dt_rank")
    state, more = mamba1(config, inner, states, config.whole("mamba_d_conv", default=4), rank, "mamba")
    more += rank + 2 * states  # normalisations of step, B and C
    experts = FeedForward(
        width=width, experts=config.whole("num_experts"), per_token=config.whole("num_experts_per_tok", default=2)
    )
    every, at = config.whole("expert_layer_period", default=2), config.whole("expert_layer_offset", default=1, least=0)
    attends, first = config.whole("attn_layer_period", default=8), config.whole("attn_layer_offset", default=4, least=0)

    def block(index: int) -> Block:
        feed = experts if index % every == at and experts.experts > 1 else FeedForward(width=width)
        if index % attends == first:
            return Block(attention=part, feed=feed, vectors=2 * hidden)
        return Block(state=state, feed=feed, vectors=2 * hidden + more)

    return build(config, each(config.whole(*LAYERS), block))


def _nemotron(config: Config) -> LanguageModel:
    hidden, pattern = hidden_size(config), config.text("hybrid_override_pattern")
    heads = config.whole("mamba_num_heads")
    state, more = mamba2(
        config,
        heads * config.whole("mamba_head_dim"),
        config.whole("ssm_state_size"),
        config.whole("n_groups"),
        heads,
        config.whole("conv_kernel", default=4),
    )
    part = attention(config)
    width = config.get("moe_intermediate_size", "intermediate_size", default=None)
    kinds = {
        "M": Block(state=state, vectors=hidden + more, norms=1),
        "*": Block(attention=part, vectors=hidden, norms=1),
        "-": Block(feed=FeedForward(width=config.whole("intermediate_size"), gated=False), vectors=hidden, norms=1),
    }
    if "E" in pattern:
        experts = config.whole("n_routed_experts")
        kinds["E"] = Block(
            feed=FeedForward(
                width=int(width),
                gated=False,
                experts=experts,
                per_token=config.whole("num_experts_per_tok"),
                shared=config.whole("moe_shared_expert_intermediate_size", default=0, least=0),
            ),
            vectors=hidden + experts,
            norms=1,
        )
    return build(config, [kinds[letter] for letter in pattern])


def _lfm(config: Config) -> LanguageModel:
    hidden, layers = hidden_size(config), config.whole(*LAYERS)
    kernel = config.whole("conv_L_cache", default=3)
    short = State(
        projections=(
            Matrix(path="conv.in_proj", columns=3 * hidden, rows=hidden),
            Matrix(path="conv.out_proj", columns=hidden, rows=hidden, cut="rows"),
        ),
        elements=hidden * kernel,
        work=hidden * kernel,
    )
    width = config.whole("block_ff_dim", "intermediate_size")
    if config.flag("block_auto_adjust_ff_dim", default=config.text("model_type") == "lfm2"):
        multiple = config.whole("block_multiple_of", default=256)
        width = multiple * ceil(
            int(config.number("block_ffn_dim_multiplier", default=1.0) * int(2 * width / 3)) / multiple
        )
    part, kinds = attention(config), config.each(layers, "layer_types", known=(FULL, "conv"))
    full = config.items("full_attn_idxs", default=[])
    dense = config.whole("num_dense_layers", default=layers, least=0)
    experts = config.whole("num_experts", default=1)

    def block(index: int) -> Block:
        attends = kinds[index] == FULL if kinds else index in full
        feed, more = FeedForward(width=width), 0
        if index >= dense and experts > 1:
            feed = FeedForward(
                width=config.whole("moe_intermediate_size"),
                experts=experts,
                per_token=config.whole("num_experts_per_tok"),
            )
            more = experts
        if attends:
            return Block(attention=part, feed=feed, vectors=2 * hidden + head_norms(part) + more)
        return Block(state=short, feed=feed, vectors=2 * hidden + hidden * kernel + more)

    return build(config, each(layers, block), tied=True)
