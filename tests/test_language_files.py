"""Files of language models with odd fields: lists of layers, quantisers' groups, stored formats; what is said."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

import model.cli
from hw import chips
from hw.base.command_line import main
from hw.base.error import InputError
from model.card.device import device
from model.card.serving import chosen_format
from model.network import llm
from model.network.serving import Serving

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
WINDOWED = {"model_type": "gemma3_text", "sliding_window": 512, "head_dim": 32}
AWQ = {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True}


def told(tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], *words: str) -> tuple[int, str]:
    """Exit code and output of `language` on a file with these changes."""
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(SMALL | changes))
    code = main("model", model.cli, ["language", str(path), *words])
    out = capsys.readouterr()
    return code, out.err or out.out


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (WINDOWED | {"layer_types": ["sliding", "full"]}, "layer_types .* must hold full_attention, .* not 'sliding'"),
        (WINDOWED | {"layer_types": ["sliding_attention"]}, "must list its 2 layers, not 1 of them"),
        (
            {"rope_scaling": {"type": "yarn", "factor": float("nan")}},
            "factor of mine must be a number above 0, not nan",
        ),
        ({"rope_scaling": {"type": "linear", "factor": -4}}, "factor of mine must be a number above 0, not -4"),
        (
            {"rope_scaling": {"type": "yarn", "factor": 2, "original_max_position_embeddings": "4096"}},
            "original_max_position_embeddings of mine must be an integer",
        ),
        (
            {"quantization_config": AWQ | {"group_size": 0}},
            "group_size of mine must be an integer of at least 1, not 0",
        ),
        (
            {"quantization_config": {"quant_method": "fp8", "weight_block_size": [-128, 128]}},
            "two integers of at least 1",
        ),
        ({"quantization_config": {"quant_method": "fp8", "weight_block_size": [128]}}, "two integers of at least 1"),
        (
            {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True, "load_in_8bit": True}},
            "in 4 or in 8 bits, not in both",
        ),
        (
            {
                "quantization_config": {
                    "quant_method": "compressed-tensors",
                    "config_groups": {"a": {"weights": {"num_bits": 8, "strategy": "none"}}},
                }
            },
            "strategy of mine must be one of tensor, channel",
        ),
        ({"torch_dtype": "float5"}, "torch_dtype of mine must be one of float32, .* not 'float5'"),
        ({"model_type": "llamma"}, "not 'llamma'; did you mean 'llama'"),
    ],
)
def test_a_field_that_cannot_be_is_named(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        llm.from_config("mine", SMALL | changes)


def test_the_cache_of_a_sequence_ends_at_the_window(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kinds = WINDOWED | {"layer_types": ["sliding_attention", "full_attention"]}
    _, said = told(tmp_path, capsys, kinds, "--context", "4096")
    # 2 heads x 2 x 32 values of 2 bytes: 256 B a token and layer; 512 and 4,096 tokens
    assert f"{256 * (512 + 4096) / 1e6:.4g} MB per sequence of 4096 tokens" in said
    _, text = told(tmp_path, capsys, kinds, "--context", "4096", "--json")
    assert json.loads(text)["cache_bytes_per_sequence"] == 256 * (512 + 4096)


def test_weights_are_said_to_be_held_as_the_file_states_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quantised = {"quantization_config": AWQ}
    _, said = told(tmp_path, capsys, quantised)
    assert "weights          1.605 MB in awq of the file, 4 bits and 20 for 128 inputs" in said
    code, said = told(tmp_path, capsys, quantised, "--weights", "int8")
    assert (code, "--weights must be left out, the file of mine states its own" in said) == (2, True)
    _, text = told(tmp_path, capsys, {"torch_dtype": "float32"}, "--json")
    assert (json.loads(text)["weights"], json.loads(text)["weight_bytes"]) == ("fp32", 4 * 1_627_392)
    _, said = told(tmp_path, capsys, {"dtype": "bfloat16"})
    assert "weights          3.255 MB in bf16" in said


def test_a_quantised_file_is_served_in_the_format_its_products_are_done_in() -> None:
    rngd = device(chips.load("furiosa_rngd"))
    assert chosen_format(rngd, llm.from_config("mine", SMALL)) == "fp8_e4m3"
    assert chosen_format(rngd, llm.from_config("mine", SMALL | {"quantization_config": AWQ})) == "fp16"


ODD = [0, -1, None, "x", [], {}, 1.5, True, 10**12, float("nan"), [1, 2], {"a": 1}, [None], ["full_attention"]]


def test_no_field_of_any_family_ends_in_a_traceback() -> None:
    seen = set[str]()
    tried = 0
    for name in llm.names():
        fields = json.loads((llm.CONFIGS / f"{name}.json").read_text())
        if fields["model_type"] in seen or ("layer_types" in fields and len(fields["layer_types"]) > 64):
            continue
        seen.add(fields["model_type"])
        for field in fields:
            for value in ODD[tried % 3 :: 3]:
                tried += 1
                try:
                    found = llm.from_config(name, copy.deepcopy(fields) | {field: value})
                    Serving(model=found.single()).decode(16, 3)
                except InputError:
                    continue
    assert tried > 2_000
