"""GPT-2, GPT-BigCode, GPT-NeoX, OPT, Bloom, MPT, Falcon: normalisations with bias, two feed-forward matrices."""

from model.network.config import Config
from model.network.family import HEADS, LAYERS, attention, build, hidden_size, query_bias
from model.network.language import Attention, Block, FeedForward, LanguageModel

MODEL_TYPES = ("gpt2", "gpt_bigcode", "gpt_neox", "opt", "bloom", "mpt", "falcon", "RefinedWeb", "RefinedWebModel")
TIED = ("gpt2", "gpt_bigcode", "opt", "bloom", "mpt", "falcon", "RefinedWeb", "RefinedWebModel")


def read(config: Config) -> LanguageModel:
    """The model."""
    kind, hidden = config.text("model_type"), hidden_size(config)
    heads = config.whole(*HEADS)
    part = attention(config)
    falcon = kind in ("falcon", "RefinedWeb", "RefinedWebModel")
    if kind == "gpt_bigcode" and config.flag("multi_query", default=True):
        part = Attention(heads=heads, kv_heads=1, head_size=part.head_size)
    newer = config.flag("new_decoder_architecture")
    if falcon and not newer and config.flag("multi_query", default=True):
        part = Attention(heads=heads, kv_heads=1, head_size=part.head_size)
    expansion = config.whole("expansion_ratio", default=4)
    width = config.whole("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size", default=expansion * hidden)
    biased = not (kind == "mpt" or (falcon and not config.flag("bias")))
    biased = biased and config.flag("enable_bias", default=True)
    norms = 2
    if falcon and config.flag("parallel_attn", default=True) and not newer:
        norms = 1
    vectors = norms * hidden * (1 if kind == "mpt" and config.flag("no_bias", default=True) else 2)
    if biased:
        vectors += query_bias(part) + hidden + width + hidden
    block = Block(attention=part, feed=FeedForward(width=width, gated=False), vectors=vectors, norms=norms)
    rest = hidden * (1 if kind == "mpt" else 2)
    if kind in ("gpt2", "gpt_bigcode"):
        rest += config.whole("n_positions") * hidden
    elif kind == "opt":
        rest += (config.whole("max_position_embeddings") + 2) * hidden
        projected = config.whole("word_embed_proj_dim", default=hidden)
        if projected != hidden:
            # embeddings are narrower than the layers: both projections, less of the table
            rest += 2 * projected * hidden - config.whole("vocab_size") * (hidden - projected)
    elif kind == "bloom":
        rest += 2 * hidden
    return build(config, [block] * config.whole(*LAYERS), tied=kind in TIED, vectors=rest)
