"""DeepSeek V2 and V3, Kimi K2, Kanana 2, Moonlight, A.X K1: latent attention, routed and shared experts behind a few
dense layers.
"""

from model.network.config import Config
from model.network.family import HEADS, LAYERS, attention, build, each, hidden_size
from model.network.language import Attention, Block, FeedForward, LanguageModel

MODEL_TYPES = (
    "deepseek",
    "deepseek_v2",
    "deepseek_v3",
    "deepseek_v32",
    "kimi_k2",
    "deepseek_vl_v2_text",
    "AXK1",
    "glm4_moe_lite",
    "minicpm3",
)
DEFAULTS = {"moe_layer_freq": 1}


def latent_attention(config: Config) -> Attention:
    """Multi-head latent attention: keys and values of all heads from one vector a token."""
    heads, rotary = config.whole(*HEADS), config.whole("qk_rope_head_dim")
    return Attention(
        heads=heads,
        kv_heads=heads,
        head_size=config.whole("qk_nope_head_dim") + rotary,
        value_size=config.whole("v_head_dim", default=config.get("qk_nope_head_dim")),
        latent=config.whole("kv_lora_rank"),
        query_rank=config.whole("q_lora_rank", default=0, least=0),
        rotary=rotary,
    )


def read(config: Config) -> LanguageModel:
    """The model; the module that predicts a further token is left out, as in the published total of 671 billion."""
    kind, hidden = config.text("model_type"), hidden_size(config)
    latent = config.has("kv_lora_rank")
    part = latent_attention(config) if latent else attention(config)
    vectors = 2 * hidden + (part.query_rank + part.latent if latent else 0)
    if kind == "minicpm3" or not config.has("n_routed_experts"):
        dense = Block(attention=part, feed=FeedForward(width=config.whole("intermediate_size")), vectors=vectors)
        return build(config, [dense] * config.whole(*LAYERS), tied=kind == "minicpm3")
    first = config.whole("first_k_dense_replace", default=0, least=0)
    period = config.whole("moe_layer_freq", default=1)
    width = config.whole("moe_intermediate_size")
    experts = config.whole("n_routed_experts")
    corrected = config.text("topk_method", default="") == "noaux_tc" or kind in (
        "deepseek_v3",
        "deepseek_v32",
        "kimi_k2",
        "AXK1",
        "glm4_moe_lite",
    )
    feed = FeedForward(
        width=width,
        experts=experts,
        per_token=config.whole("num_experts_per_tok"),
        shared=width * config.whole("n_shared_experts", default=0, least=0),
    )

    def block(index: int) -> Block:
        if index >= first and index % period == 0:
            return Block(attention=part, feed=feed, vectors=vectors + (experts if corrected else 0))
        return Block(attention=part, feed=FeedForward(width=config.whole("intermediate_size")), vectors=vectors)

    left_out = (
        ("prediction of a further token",) if config.whole("num_nextn_predict_layers", default=0, least=0) else ()
    )
    if kind == "deepseek_v32":
        left_out += ("sparse attention's index: all tokens are read",)
    return build(config, each(config.whole(*LAYERS), block), unread=left_out)
