"""Families of language models: published totals, cache bytes, quantised files, windows, nested and refused files."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hw.base.error import InputError
from model.network import llm
from model.network.families import families
from model.network.language import Attention
from tests.support.language_totals import ABOUT, ACTIVE, CACHE_BYTES, PARAMETERS

SMALL: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 256,
    "num_attention_heads": 8,
    "num_hidden_layers": 2,
    "num_key_value_heads": 2,
    "intermediate_size": 512,
    "vocab_size": 1000,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": False,
}


def small(**changes: Any) -> llm.LanguageModel:
    return llm.from_config("mine", {k: v for k, v in {**SMALL, **changes}.items() if v != "absent"})


def test_every_shipped_configuration_has_a_published_total() -> None:
    assert set(llm.names()) == PARAMETERS.keys() | ABOUT.keys()
    assert len(llm.names()) >= 80


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_equal_the_released_checkpoint(name: str) -> None:
    assert llm.load(name).parameters == PARAMETERS[name]


@pytest.mark.parametrize("name", ABOUT)
def test_parameters_are_about_what_the_card_says(name: str) -> None:
    assert llm.load(name).parameters == pytest.approx(ABOUT[name] * 1e9, rel=0.01)


@pytest.mark.parametrize("name", ACTIVE)
def test_a_token_meets_as_many_parameters_as_the_card_says(name: str) -> None:
    model = llm.load(name)
    met = model.active_parameters / 1e9
    # some makers leave the head out, some count both tables
    tables = model.vocabulary * model.hidden / 1e9
    assert met - tables <= 1.02 * ACTIVE[name]
    assert met + tables >= 0.98 * ACTIVE[name]


@pytest.mark.parametrize("name", CACHE_BYTES)
def test_the_cache_of_a_token_is_what_its_shape_says(name: str) -> None:
    assert 2 * llm.load(name).kv_elements_per_token == CACHE_BYTES[name]


def test_windows_bound_the_cache_layer_by_layer() -> None:
    mistral = small(model_type="mistral", sliding_window=128)
    each = 2 * 2 * 32  # keys and values of 2 heads of 32
    assert mistral.cache_elements(100) == 2 * 100 * each
    assert mistral.cache_elements(1000) == 2 * 128 * each
    oss = llm.load("gpt_oss_20b")
    each = 2 * 8 * 64
    assert oss.cache_elements(10_000) == 12 * 128 * each + 12 * 10_000 * each
    gemma = llm.load("gemma3_27b")
    assert [n for _, n in gemma.groups] == [52, 10]
    assert gemma.window == 1024
    # whichever group of layers comes first, the window is that of the layers that have one
    assert [g[0].attention.window for g in gemma.groups if g[0].attention] == [1024, None]
    assert replace(gemma, groups=tuple(reversed(gemma.groups))).window == 1024
    assert llm.load("mamba_2_8b").window is None
    exaone = llm.load("exaone4_32b")
    assert {b.attention.window: n for b, n in exaone.groups if b.attention} == {4096: 48, None: 16}


def test_a_state_does_not_grow() -> None:
    mamba = llm.load("mamba_2_8b")
    assert mamba.cache_elements(10) == mamba.cache_elements(100_000) == 64 * (5120 * 16 + 5120 * 3)


def test_latent_attention_holds_one_vector_for_all_heads() -> None:
    attention = llm.load("deepseek_v3").typical.attention
    assert attention == Attention(
        heads=128, kv_heads=128, head_size=192, value_size=128, latent=512, query_rank=1536, rotary=64
    )
    assert attention is not None
    assert attention.cache_elements == 576


def test_an_awq_file_needs_its_groups_and_its_wide_parts() -> None:
    """Llama 3.1 8B, groups of 128 with zero points: 5.73 GB as published, not 16.06 and not 4.02."""
    config = json.loads((llm.CONFIGS / "llama31_8b.json").read_text())
    awq = {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True}
    model = llm.from_config("awq", {**config, "quantization_config": awq})
    assert model.weight_bytes("fp16") == pytest.approx(5.73e9, rel=1e-3)
    wide = 2 * 128256 * 4096 + 65 * 4096
    linear = model.parameters - wide
    assert model.weight_bytes("fp16") == wide * 2 + linear * (4 + 20 / 128) / 8
    assert llm.from_config("plain", config).weight_bytes("fp16") == 2 * 8_030_261_248


@pytest.mark.parametrize(
    ("stated", "bits"),
    [
        ({"quant_method": "gptq", "bits": 4, "group_size": 128}, 4 + 20 / 128 + 32 / 512),
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, 8 + 32 / 128**2),
        ({"quant_method": "fbgemm_fp8"}, 8 + 32 / 256),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, 4.5),
        (
            {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_use_double_quant": True},
            4 + (8 + 32 / 256) / 64,
        ),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, 4.5),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {
                    "group_0": {
                        "targets": ["Linear"],
                        "weights": {
                            "num_bits": 4,
                            "type": "int",
                            "strategy": "group",
                            "group_size": 128,
                            "symmetric": True,
                        },
                    }
                },
                "ignore": ["lm_head"],
            },
            4 + 16 / 128,
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {
                    "group_0": {
                        "weights": {"num_bits": 8, "type": "float", "strategy": "channel"},
                        "input_activations": {"num_bits": 8},
                    }
                },
            },
            8 + 16 / 256,
        ),
    ],
)
def test_bits_of_a_weight_hold_its_scales(stated: dict[str, Any], bits: float) -> None:
    model = small(quantization_config=stated)
    up = next(m for m in model.typical.matrices(256) if m.path == "mlp.up_proj")
    assert model.matrix_bits(up, "fp16") == pytest.approx(bits)


def test_parts_named_in_the_file_stay_wide() -> None:
    fp8 = {"quant_method": "fp8", "modules_to_not_convert": ["model.layers.0.mlp", "lm_head"]}
    model = small(quantization_config=fp8)
    bits = {m.path: model.matrix_bits(m, "fp16") for m in model.typical.matrices(256)}
    assert bits["self_attn.q_proj"] == pytest.approx(8, abs=0.01)
    assert bits["mlp.up_proj"] == pytest.approx(12, abs=0.01)  # one layer of two
    oss = llm.load("gpt_oss_120b")
    bits = {m.path: oss.matrix_bits(m, "fp16") for m in oss.typical.matrices(oss.hidden)}
    assert bits["mlp.experts.0.up_proj"] == 4.25
    assert bits["self_attn.q_proj"] == 16
    # the files of the release hold 65.2 GB
    assert oss.weight_bytes("bf16") == pytest.approx(65.2e9, rel=0.01)


def test_weights_in_a_narrow_format_leave_tables_norms_and_routers_wide() -> None:
    model = llm.load("llama31_8b")
    wide = 2 * 128256 * 4096 + 65 * 4096
    assert model.weight_bytes("fp8_e4m3") == 2 * wide + model.parameters - wide


def test_the_language_part_of_a_larger_file_is_read() -> None:
    inner = {**SMALL, "model_type": "mistral"}
    nested = llm.from_config(
        "seeing", {"model_type": "mistral3", "text_config": inner, "vision_config": {"hidden_size": 64}}
    )
    assert nested.parameters == small(model_type="mistral").parameters
    assert nested.unread == ("the part that sees or hears",)
    awq = {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True}
    assert llm.from_config("x", {"text_config": inner, "quantization_config": awq}).quantization is not None


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "marked.json").write_text(json.dumps(SMALL), encoding="utf-8-sig")
    assert llm.read_config(tmp_path / "marked.json").layers == 2


def test_a_file_in_its_own_folder_takes_the_folders_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "my_model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(SMALL))
    monkeypatch.chdir(folder)
    assert llm.read_config("config.json").name == "my_model"


def test_stretched_positions_count() -> None:
    yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 4096}
    assert small(rope_scaling=yarn).positions == 16384
    assert small(max_position_embeddings=16384, rope_scaling=yarn).positions == 16384
    assert small(rope_scaling={"type": "linear", "factor": 2.0}).positions == 8192
    assert small(rope_scaling={"rope_type": "llama3", "factor": 8.0}).positions == 4096


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"num_attention_heads": 0}, "num_attention_heads of mine must be an integer of at least 1, not 0"),
        ({"num_attention_heads": "8"}, "num_attention_heads of mine must be an integer of at least 1, not '8'"),
        (
            {"num_attention_heads": 7, "num_key_value_heads": 7},
            "heads of mine must divide its hidden size of 256, not 7; add the field",
        ),
        ({"num_key_value_heads": 3}, "heads of mine must be a multiple of its kv_heads, not 8 and 3"),
        ({"hidden_size": "absent"}, "the configuration of mine must have the field 'hidden_size'"),
        (
            {"quantization_config": {"quant_method": "aqlm"}},
            "quant_method of mine must be one whose layout is known .*, not 'aqlm'",
        ),
        ({"quantization_config": "awq"}, "quantization_config of mine must hold an object, not 'awq'"),
        ({"model_type": "t5"}, "mine must be a decoder-only language model; t5 is an encoder and a decoder"),
        ({"model_type": "bert"}, "mine must be a decoder-only language model; bert is an encoder"),
        (
            {"model_type": "newest"},
            "model_type of mine must be a known family, not 'newest'; .*a family is one file in",
        ),
        ({"model_type": "gpt_oss", "num_local_experts": 4, "num_experts_per_tok": 8}, "at most its 4 experts, not 8"),
    ],
)
def test_impossible_files_are_refused_in_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        small(**changes)


def test_every_family_has_a_sentence_and_its_kinds() -> None:
    for module in set(families().values()):
        assert module.__doc__
        assert module.MODEL_TYPES
