"""Mixtures with dense first layers and shared experts around ordinary attention: Ling and Ring, dots.llm1, ERNIE 4.5,
Hunyuan, Solar Open, MiMo V2.
"""

from hw.base.error import InputError
from model.network.config import Config
from model.network.family import LAYERS, attention, build, each, head_norms, hidden_size, query_bias
from model.network.language import Block, FeedForward, LanguageModel

MODEL_TYPES = (
    "bailing_moe",
    "bailing_moe_v2",
    "dots1",
    "ernie4_5_moe",
    "ernie4_5_moe_vl_text",
    "hunyuan",
    "hunyuan_v1_dense",
    "hunyuan_v1_moe",
    "solar_open",
    "afmoe",
    "llada_moe",
)


def read(config: Config) -> LanguageModel:
    """The model."""
    kind, hidden, layers = config.text("model_type"), hidden_size(config), config.whole(*LAYERS)
    part = attention(config)
    normed = config.flag("use_qk_norm", default=kind in ("dots1", "hunyuan_v1_dense", "hunyuan_v1_moe"))
    biased = config.flag("attention_bias", "use_qkv_bias", "use_bias")
    vectors = 2 * hidden + (head_norms(part) if normed else 0) + (query_bias(part) if biased else 0)
    tied = kind in ("ernie4_5_moe", "hunyuan", "hunyuan_v1_dense", "hunyuan_v1_moe")
    names = ("num_experts", "n_routed_experts", "moe_num_experts", "num_local_experts")
    experts = _same(config, *names, default=1)
    dense = Block(
        attention=part,
        vectors=vectors,
        feed=FeedForward(
            width=config.whole("intermediate_size", default=config.get("moe_intermediate_size", default=None))
        ),
    )
    if kind == "hunyuan_v1_dense" or experts == 1:
        return build(config, [dense] * layers, tied=tied)
    width, per_token = (
        _same(config, *n)
        for n in (("moe_intermediate_size", "intermediate_size"), ("num_experts_per_tok", "moe_k", "moe_topk"))
    )
    extra = ("num_shared_experts", "n_shared_experts", "moe_num_shared_experts", "num_shared_expert")
    shared = _same(config, *extra, default=0, least=0)
    first = config.whole("first_k_dense_replace", "moe_layer_start_index", "moe_layer_num_skipped", default=0, least=0)
    corrected = kind in ("dots1", "ernie4_5_moe", "bailing_moe_v2", "solar_open")
    mixed = Block(
        attention=part,
        vectors=vectors + (experts if corrected else 0),
        feed=FeedForward(width=width, experts=experts, per_token=per_token, shared=shared * width),
    )
    return build(config, each(layers, lambda i: dense if i < first else mixed), tied=tied)


def _same(config: Config, *names: str, default: int | None = None, least: int = 1) -> int:
    """A number, or a list that gives every layer the same."""
    value = config.get(*names) if default is None else config.get(*names, default=default)
    given = value if isinstance(value, list) and value else [value]
    found = {Config(config.name, {names[0]: one}).whole(names[0], least=least) for one in given}
    if len(found) > 1:
        raise InputError(f"{names[0]} of {config.name} must be the same for all layers, not {sorted(found)}")
    return found.pop()
