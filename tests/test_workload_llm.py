"""Language models: published parameter counts, cache sizes, tensor parallel, experts, refusals."""

import json
from pathlib import Path

import pytest

from hw.base.error import InputError
from model import workloads
from model.cli.language import describe
from model.network import llm
from model.network.serving import Serving

# Parameters of the released checkpoints, as their libraries report them
PARAMETERS = {
    "gptj_6b": 6_050_882_784,
    "llama2_7b": 6_738_415_616,
    "llama2_13b": 13_015_864_320,
    "llama2_70b": 68_976_648_192,
    "llama31_8b": 8_030_261_248,
    "llama31_70b": 70_553_706_496,
    "mixtral_8x7b": 46_702_792_704,
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_equal_the_released_checkpoint(name: str) -> None:
    assert llm.load(name).parameters == PARAMETERS[name]


def test_every_configuration_is_checked_and_has_both_workloads() -> None:
    for name in PARAMETERS:
        assert {f"{name}_prefill", f"{name}_decode"} <= set(workloads.names())


def test_grouped_query_attention_divides_the_cache() -> None:
    assert llm.load("llama2_7b").kv_elements_per_token == 2 * 32 * 4096
    assert llm.load("llama31_8b").kv_elements_per_token == 2 * 32 * 8 * 128
    fp16, fp8 = Serving(model=llm.load("llama31_8b")), Serving(model=llm.load("llama31_8b"), cache_format="fp8_e4m3")
    assert fp16.cache_bytes_per_token == 131072
    assert fp8.cache_bytes_per_token == 65536


@pytest.mark.parametrize("name", [n for n in PARAMETERS if n != "mixtral_8x7b"])
def test_a_decode_step_multiplies_every_weight_once_and_every_cached_element_per_query_head(name: str) -> None:
    model = llm.load(name)
    context, batch = 512, 4
    network = Serving(model=model).decode(context, batch)
    weights = model.layers * (model.attention_weights + model.expert_weights) + model.hidden * model.vocabulary
    attention = 2 * model.layers * model.heads * model.head_size * context
    assert network.macs == batch * (weights + attention)
    assert network.weights == weights


def test_prefill_turns_only_the_last_position_into_a_token() -> None:
    model = llm.load("llama2_7b")
    tokens = 100
    network = Serving(model=model).prefill(tokens)
    layers = model.layers * (model.attention_weights + model.expert_weights)
    attention = 2 * model.layers * model.hidden * tokens
    assert network.macs == tokens * (layers + attention) + model.hidden * model.vocabulary


@pytest.mark.parametrize("cards", [2, 4, 8])
def test_cards_divide_the_work_and_add_sums_twice_per_layer(cards: int) -> None:
    model = llm.load("llama31_70b")
    one, many = Serving(model=model), Serving(model=model, cards=cards)
    assert many.decode(1024, 8).macs * cards == one.decode(1024, 8).macs
    assert many.weight_bytes * cards == one.weight_bytes
    sums = [layer for layer in many.decode(1024, 8).layers if layer.operator == "AllReduce"]
    assert len(sums) == 2 * model.layers
    assert sums[0].output_elements == 8 * model.hidden
    assert not [layer for layer in one.decode(1024, 8).layers if layer.operator == "AllReduce"]


def test_more_cards_than_key_heads_copy_them() -> None:
    serving = Serving(model=llm.load("llama31_8b"), cards=16)
    assert serving.kv_heads == 1
    assert serving.cache_bytes_per_token * 16 == 2 * Serving(model=llm.load("llama31_8b")).cache_bytes_per_token


def test_few_tokens_reach_few_experts_and_many_reach_all() -> None:
    serving = Serving(model=llm.load("mixtral_8x7b"))
    assert serving.active_experts(1) == 2
    # 8 (1 - 0.75**4) = 5.47
    assert serving.active_experts(4) == 5
    assert serving.active_experts(100) == 8
    # 8 rows over 5 experts: 3 of them get two, 2 get one
    up = [g for g in serving.decode(256, 4).gemms() if g.name == "layer0_up"]
    assert [(g.m, g.n, g.k, g.count) for g in up] == [(2, 2 * 14336, 4096, 3), (1, 2 * 14336, 4096, 2)]


def test_rows_of_experts_are_not_rounded_up() -> None:
    model = llm.load("mixtral_8x7b")
    per_token = model.active_parameters - model.vectors - 2 * model.layers * model.hidden
    attention = 2 * model.layers * model.heads * model.head_size * 256
    for batch in (1, 3, 7, 100):
        assert Serving(model=model).decode(256, batch).macs == batch * (per_token + attention)


def test_the_largest_batch_is_what_fits_beside_the_weights() -> None:
    serving = Serving(model=llm.load("llama31_8b"), weight_format="fp8_e4m3", cache_format="fp8_e4m3")
    batch = serving.largest_batch(4096, 48e9)
    used = serving.weight_bytes + batch * 4096 * serving.cache_bytes_per_token
    assert used <= 48e9 < used + 4096 * serving.cache_bytes_per_token


def test_a_model_larger_than_memory_is_refused_with_both_sizes() -> None:
    with pytest.raises(InputError, match=r"it needs 141\.4 GB on each of 1, the card has 80\.0 GB; use more cards"):
        Serving(model=llm.load("llama31_70b")).largest_batch(1024, 80e9)


def test_int4_weights_of_layers_take_half_a_byte_and_tables_two() -> None:
    wide = 2 * 32000 * 4096 + 65 * 4096
    expected = (6_738_415_616 - wide) / 2 + 2 * wide
    assert Serving(model=llm.load("llama2_7b"), weight_format="int4").weight_bytes == expected


def small(**changes: int) -> llm.LanguageModel:
    fields = {
        "model_type": "llama",
        "hidden_size": 640,
        "num_attention_heads": 40,
        "num_hidden_layers": 2,
        "num_key_value_heads": 10,
        "intermediate_size": 512,
        "vocab_size": 1000,
        "max_position_embeddings": 4096,
    }
    return llm.from_config("mine", fields | changes)


@pytest.mark.parametrize("cards", [1, 2, 4, 8])
def test_whole_key_heads_are_copied_and_no_attention_is_lost(cards: int) -> None:
    """40 heads, 10 key-value heads: on 4 cards each has 10 heads, which read 3 key-value heads."""
    serving = Serving(model=small(), cards=cards)
    assert serving.kv_heads == {1: 10, 2: 5, 4: 3, 8: 2}[cards]
    scores = [g for g in serving.decode(100, 3).gemms() if g.name in ("layer0_scores", "layer0_context")]
    assert cards * sum(g.macs for g in scores) == 2 * 3 * 40 * 16 * 100


def test_a_window_bounds_scores_and_cache() -> None:
    fields = {"num_key_value_heads": 40, "sliding_window": 128}
    model = llm.from_config(
        "sliding",
        {
            "model_type": "mistral",
            "hidden_size": 640,
            "num_attention_heads": 40,
            "num_hidden_layers": 2,
            "intermediate_size": 512,
            "vocab_size": 1000,
            "max_position_embeddings": 4096,
        }
        | fields,
    )
    serving = Serving(model=model)
    assert serving.sequence_bytes(1000) == serving.sequence_bytes(128) == 2 * serving.sequence_bytes(64)
    scores = next(g for g in serving.decode(1000, 1).gemms() if g.name == "layer0_scores")
    assert scores.n == 128


@pytest.mark.parametrize(
    "name", ["deepseek_v2_lite", "qwen3_next_80b_a3b", "gpt_oss_20b", "jamba_15_mini", "gemma3n_e4b"]
)
def test_unlike_layers_are_all_there(name: str) -> None:
    model = llm.load(name)
    serving = Serving(model=model, cards=2)
    blocks = serving.blocks(4, 4)
    assert sum(times for times, _ in blocks[:-1]) == model.layers
    step = serving.decode(512, 4)
    assert {layer.name.partition("_")[0] for layer in step.layers} >= {f"layer{i}" for i in range(model.layers)}
    # half of the matrices on each card, and the copied ones
    assert serving.held_bytes == pytest.approx(model.weight_bytes("fp16") / 2, rel=0.12)


def test_latent_attention_decodes_on_the_latent_vector() -> None:
    (times, shape), *rest = Serving(model=llm.load("deepseek_v3"), cards=8).attentions
    assert not rest
    assert (times, shape.heads, shape.kv_heads, shape.key_size, shape.value_size) == (61, 16, 1, 576, 512)
    assert shape.cache_elements == 576
    assert shape.prompt is not None
    assert (shape.prompt.key_size, shape.prompt.value_size) == (192, 128)


@pytest.mark.parametrize("field", ["hidden_size", "num_hidden_layers", "vocab_size", "intermediate_size"])
def test_a_configuration_without_a_field_is_refused_by_name(tmp_path: Path, field: str) -> None:
    config = json.loads((llm.CONFIGS / "llama2_7b.json").read_text())
    del config[field]
    path = tmp_path / "mine" / "config.json"
    path.parent.mkdir()
    path.write_text(json.dumps(config))
    with pytest.raises(InputError, match=f"the configuration of mine must have the field '{field}'; add it"):
        llm.read_config(path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"model_type": "llama", "hid', "truncated or another kind of file"),
        ("[1]", "must hold one JSON object, not list"),
        ('{"model_type": "newest"}', "model_type of c must be a known family"),
    ],
)
def test_unusable_configurations_are_refused(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "c.json").write_text(content)
    with pytest.raises(InputError, match=sentence):
        llm.read_config(tmp_path / "c.json")


def test_missing_and_unknown_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        llm.read_config(tmp_path / "config.json")
    with pytest.raises(InputError, match=r"a language model must be a known one.*gptj_6b"):
        llm.load("llama9")


def test_impossible_servings_are_refused() -> None:
    model = llm.load("llama2_7b")
    with pytest.raises(InputError, match="cards must divide the 32 heads of llama2_7b, not 3"):
        Serving(model=model, cards=3)
    with pytest.raises(InputError, match="from 1 to 4096, not 5000"):
        Serving(model=model).decode(5000, 1)
    with pytest.raises(InputError, match="a batch must be an integer of at least 1, not 0"):
        Serving(model=model).decode(50, 0)
    with pytest.raises(InputError, match="a number format must be one of"):
        Serving(model=model, weight_format="fp5")


def test_the_description_names_units_and_shares() -> None:
    lines = describe(Serving(model=llm.load("llama31_70b"), cards=8), 1024, 16, 80)
    assert "weights          17.64 GB per card of 8 in fp16" in lines
    # (80 GB - 17.638 GB) / (40,960 B x 1,024 tokens) = 1486.8
    assert "largest batch    1486 sequences of 1024 tokens in 80 GB" in lines
