"""GLM of Zhipu: ChatGLM2 to 4, GLM-4, GLM-4.5 and the text part of GLM-4V."""

from dataclasses import replace

from model.network.config import Config
from model.network.family import LAYERS, attention, build, dense, each, head_norms, hidden_size, query_bias
from model.network.language import Attention, Block, FeedForward, LanguageModel

MODEL_TYPES = ("chatglm", "glm", "glm4", "glm4v_text", "glm4_moe", "glm4v_moe_text")


def read(config: Config) -> LanguageModel:
    """The model."""
    kind, hidden, layers = config.text("model_type"), hidden_size(config), config.whole(*LAYERS)
    if kind == "chatglm":
        heads, size = config.whole("num_attention_heads"), config.whole("kv_channels", default=128)
        keys = config.whole("multi_query_group_num") if config.flag("multi_query_attention") else heads
        part = Attention(heads=heads, kv_heads=keys, head_size=size)
        biased = config.flag("add_qkv_bias", default=True)
        block = Block(
            attention=part,
            feed=FeedForward(width=config.whole("ffn_hidden_size")),
            vectors=2 * hidden + (query_bias(part) if biased else 0),
        )
        return build(config, [block] * layers)
    biased = config.flag("attention_bias")
    if kind in ("glm", "glm4", "glm4v_text"):
        return dense(config, norms=2 if kind == "glm" else 4, qkv_bias=biased)
    part, width = attention(config), config.whole("moe_intermediate_size")
    experts = FeedForward(
        width=width,
        experts=config.whole("n_routed_experts"),
        per_token=config.whole("num_experts_per_tok"),
        shared=width * config.whole("n_shared_experts", default=0, least=0),
    )
    vectors = 2 * hidden + (query_bias(part) if biased else 0) + (head_norms(part) if config.flag("use_qk_norm") else 0)
    first = config.whole("first_k_dense_replace", default=1, least=0)
    plain = Block(attention=part, feed=FeedForward(width=config.whole("intermediate_size")), vectors=vectors)
    mixed = replace(plain, feed=experts, vectors=vectors + experts.experts)
    return build(
        config, each(layers, lambda i: plain if i < first else mixed), unread=("prediction of a further token",)
    )
