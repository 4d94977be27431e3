"""Profiles for other serving simulators: their columns, what they select rows by, and our own model's times in them."""

import csv
from pathlib import Path

import pytest
import yaml

from hw import chips
from hw.base.command_line import main
from model import cli
from model.card.device import device
from model.card.iteration import Iteration, decode, prefill
from model.network import llm

VIDUR_OPERATORS = (
    "emb", "input_layernorm", "attn_pre_proj", "attn_rope", "attn_post_proj", "post_attention_layernorm", "mlp_up_proj",
    "mlp_act", "mlp_down_proj", "add",
)  # fmt: skip
VIDUR_MLP = [
    *(f"time_stats.{name}.{s}" for name in VIDUR_OPERATORS for s in ("min", "max", "mean", "median", "std")),
    "n_head", "n_kv_head", "n_embd", "n_expanded_embd", "vocab_size", "use_gated_mlp", "num_tokens",
    "num_tensor_parallel_workers",
]  # fmt: skip
"""Header of data/profiling/compute/a100/meta-llama/Meta-Llama-3-8B/mlp.csv of microsoft/vidur (41ab8ab)."""
LLMSERVINGSIM = {
    "dense.csv": "layer,tokens,time_us",
    "per_sequence.csv": "layer,sequences,time_us",
    "attention.csv": "layer,prefill_chunk,prefill_key,n_decode,kv_decode,decode_q_len,time_us",
}
"""Headers that the documentation of casys-kaist/LLMServingSim's output bundle gives (2026)."""
CATALOGUE = {
    "embedding", "layernorm", "qkv_proj", "rotary_emb", "o_proj", "gate_up_proj", "act_fn", "down_proj",
    "final_layernorm",
}  # fmt: skip
"""Dense layers of its catalogue profiler/models/llama.yaml (2aa16cc)."""


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def plain() -> Iteration:
    return Iteration(device(chips.load("furiosa_rngd")), llm.load("llama31_8b"), weights="fp8_e4m3")


def profile(folder: Path, *more: str) -> int:
    return main("", cli, ["profiles", "--chip", "furiosa_rngd", "--out", str(folder), *more])


def test_llmservingsim_finds_its_columns_layers_and_grid(tmp_path: Path) -> None:
    assert profile(tmp_path, "--for", "llmservingsim", "--tensor", "1", "2") == 0
    bundle = tmp_path / "furiosa_rngd" / "llama31_8b" / "fp8-kvfp16"
    for tensor in ("tp1", "tp2"):
        for name, header in LLMSERVINGSIM.items():
            assert (bundle / tensor / name).read_text().splitlines()[0] == header
    dense = rows(bundle / "tp1" / "dense.csv")
    assert {row["layer"] for row in dense} == CATALOGUE
    assert {row["layer"] for row in rows(bundle / "tp1" / "per_sequence.csv")} == {"lm_head", "sampler"}
    attention = rows(bundle / "tp1" / "attention.csv")
    keys = [tuple(row.values())[:-1] for row in attention]
    assert len(set(keys)) == len(keys)  # it averages rows of one key
    assert all(float(row["time_us"]) > 0 for row in (*dense, *attention))
    meta = yaml.safe_load((bundle / "meta.yaml").read_text())
    assert meta["measured"] is False
    assert meta["tp_degrees"] == [1, 2]
    assert meta["skew_fit"] == {"enabled": False}


def test_a_step_added_up_from_the_rows_is_the_card_models(tmp_path: Path) -> None:
    """Llama's sequence of the catalogue: 32 blocks, then the head; sixteen sequences of 1,024 tokens, no host."""
    assert profile(tmp_path, "--for", "llmservingsim") == 0
    bundle = tmp_path / "furiosa_rngd" / "llama31_8b" / "fp8-kvfp16" / "tp1"
    dense = {(row["layer"], int(row["tokens"])): float(row["time_us"]) for row in rows(bundle / "dense.csv")}
    heads = {(r["layer"], int(r["sequences"])): float(r["time_us"]) for r in rows(bundle / "per_sequence.csv")}
    attention = {
        tuple(float(row[name]) for name in ("prefill_chunk", "prefill_key", "n_decode", "kv_decode")): float(
            row["time_us"]
        )
        for row in rows(bundle / "attention.csv")
    }
    block = ["layernorm", "qkv_proj", "rotary_emb", "o_proj", "layernorm", "gate_up_proj", "act_fn", "down_proj"]

    def step(tokens: int, outputs: int, key: tuple[float, ...]) -> float:
        blocks = 32 * (sum(dense[name, tokens] for name in block) + attention[key])
        return blocks + dense["final_layernorm", outputs] + heads["lm_head", outputs] + heads["sampler", outputs]

    ours = plain()
    assert step(16, 16, (0, 0, 16, 1024)) == pytest.approx(1e6 * ours.seconds(decode(1024, 16)), rel=2e-5)
    assert step(512, 1, (512, 256, 0, 0)) == pytest.approx(1e6 * ours.seconds(prefill(512)), rel=2e-3)


def test_vidur_selects_its_rows_by_shape(tmp_path: Path) -> None:
    assert profile(tmp_path, "--for", "vidur") == 0
    folder = tmp_path / "furiosa_rngd" / "llama31_8b"
    assert (folder / "mlp.csv").read_text().splitlines()[0].split(",") == VIDUR_MLP
    mlp, attention = rows(folder / "mlp.csv"), rows(folder / "attention.csv")
    for row in mlp:
        shape = ("n_head", "n_kv_head", "n_embd", "n_expanded_embd", "vocab_size", "use_gated_mlp")
        assert [row[name] for name in shape] == ["32", "8", "4096", "14336", "128256", "True"]
        assert row["time_stats.mlp_up_proj.min"] == row["time_stats.mlp_up_proj.median"]
    needed = {"n_embd", "n_q_head", "n_kv_head", "block_size", "num_tensor_parallel_workers", "prefill_chunk_size",
              "batch_size", "kv_cache_size", "time_stats.attn_prefill.median", "time_stats.attn_decode.median",
              "time_stats.attn_kv_cache_save.median"}  # fmt: skip
    assert needed <= attention[0].keys()
    for row in attention:
        is_prefill = row["prefill_chunk_size"] != "0"
        assert (row["time_stats.attn_prefill.median"] != "") == is_prefill == (row["is_prefill"] == "True")
        assert (row["time_stats.attn_decode.median"] != "") == (not is_prefill)
    (row,) = [r for r in attention if (r["batch_size"], r["kv_cache_size"], r["is_prefill"]) == ("16", "1024", "False")]
    _, _, time = plain().attention_layers[0]
    assert float(row["time_stats.attn_decode.median"]) == pytest.approx(1e3 * time.decode(16 * 1024), rel=1e-5)


def test_a_pim_memory_shortens_decoding_and_says_where_its_times_come_from(tmp_path: Path) -> None:
    times = {}
    for name, more in (("card", ()), ("pim", ("--pim", "hbm_pim"))):
        assert profile(tmp_path / name, "--for", "llmservingsim", "--format", "fp16", *more) == 0
        (place,) = (tmp_path / name).glob("*/llama31_8b/fp16")
        found = {(r["layer"], r["tokens"]): float(r["time_us"]) for r in rows(place / "tp1" / "dense.csv")}
        times[name] = found["down_proj", "1"], found["down_proj", "1024"]
        origin = yaml.safe_load((place / "origin.yaml").read_text())
        assert ("played on a cycle model" in (origin["memory"] or "")) == (name == "pim")
        low, high = origin["range_of_a_time_over_its_prediction"]
        assert low < 1 < high
    assert times["pim"][0] < times["card"][0]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--for", "vidur", "--tensor", "1", "2"], "must hold one --tensor a call"),
        (["--for", "vidur", "--model", "mixtral_8x7b"], "must be of a dense model with one kind of block"),
        (["--for", "vidur", "--model", "lama"], "'lama'"),
        (["--for", "llmservingsim", "--tensor", "3"], "3"),
        (["--for", "llmservingsim", "--pim", "hbm_pim", "--format", "int8"], "hbm_pim"),
    ],
)
def test_an_impossible_profile_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], sentence: str
) -> None:
    assert profile(tmp_path, *more) == 2
    shown = capsys.readouterr().err
    assert sentence in shown
    assert shown.count("\n") <= 2
