"""Lines that no test came by, found by planting mistakes in them: small functions on inputs made by hand."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hw import chips
from hw.base.error import InputError
from hw.cells.boolean import parse, variables
from hw.gates import spice, transistor
from hw.rtl.crossbar.top import top
from hw.spec.core import CoreSpec
from hw.spec.crossbar import CrossbarSpec
from model import workloads
from model.card import language_check
from model.crossbar.tasks import int8_product
from model.functional import npu_score
from model.network import llm
from tb.gates import memories
from tb.system import marks


def test_the_variables_of_an_expression_are_all_its_names() -> None:
    assert variables(parse("(A & !B) | (C ^ A)")) == {"A", "B", "C"}
    assert variables(parse("A")) == {"A"}


@pytest.mark.parametrize("largest", [1e-3, 0.02, 1.0, 300.0])
def test_eight_bits_of_activations_are_scaled_to_the_largest_of_each_vector(largest: float) -> None:
    rng = np.random.default_rng(1)
    x, w = rng.uniform(-1, 1, (5, 40)).astype(np.float32), rng.uniform(-1, 1, (7, 40)).astype(np.float32)
    x *= largest / np.abs(x).max(1, keepdims=True)
    product = int8_product(lambda a, b: a.astype(np.int64) @ b.astype(np.int64))
    wanted = x @ w.T
    assert np.abs(product(x, w) - wanted).max() < 0.02 * np.abs(wanted).max()


def test_layers_from_the_stated_one_on_have_windows() -> None:
    base: dict[str, Any] = {
        "model_type": "qwen2", "hidden_size": 256, "num_attention_heads": 8, "num_key_value_heads": 2,
        "num_hidden_layers": 6, "intermediate_size": 512, "vocab_size": 1000, "max_position_embeddings": 4096,
        "tie_word_embeddings": False, "use_sliding_window": True, "sliding_window": 128, "max_window_layers": 4,
    }  # fmt: skip
    model = llm.from_config("mine", base)
    assert {b.attention.window: n for b, n in model.groups if b.attention} == {None: 4, 128: 2}
    assert llm.from_config("mine", base | {"use_sliding_window": False}).window is None


def test_a_crossbar_core_is_made_of_a_crossbar_and_of_nothing_else() -> None:
    machine = chips.machine(chips.load("tiny_crossbar"), CrossbarSpec, "this test")
    assert top(machine).signature.members
    core = chips.machine(chips.load("tiny"), CoreSpec, "this test")
    with pytest.raises(InputError, match="a crossbar core needs a crossbar description"):
        top(core)


def test_predictions_are_written_with_the_line_of_their_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ("first", "second", "third")
    checks = tuple(
        SimpleNamespace(row=row, predicted=SimpleNamespace(low=1.0, nominal=2.0 + i, high=9.0))
        for i, row in enumerate(rows)
        if row != "second"
    )
    monkeypatch.setattr(language_check, "language_rows", lambda: rows)
    monkeypatch.setattr(language_check, "language_checks", lambda: checks)
    assert language_check.write_predicted(tmp_path / "predicted.csv") == 2
    # line 1 of the file of rows holds the names of its columns
    assert (tmp_path / "predicted.csv").read_text() == "line,low,nominal,high\n2,1,2,9\n4,1,4,9\n"


def test_memories_of_pairs_of_int4_are_priced_as_those_of_int8() -> None:
    core = chips.machine(chips.load("tiny"), CoreSpec, "this test")
    pairs = replace(core, array=replace(core.array, activation_format="int4", weight_format="int4"))
    assert pairs.array.terms_per_lane == 2
    assert memories.text("nobody", pairs, "gemm_16", 1) == memories.text("nobody", core, "gemm_16", 1)


@pytest.mark.parametrize("count", [1, 5, 40])
def test_markers_of_a_wave_fill_the_places_there_are(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "save_file", lambda manifest, trace, path, names: (path.write_text("[save]\n"), path)[1])
    outcome = SimpleNamespace(trace=tmp_path / "wave.fst", folder=tmp_path)
    given = [(100 * i, f"token {i}") for i in range(count)]
    path = marks.write_marks({}, outcome, given, {})  # pyright: ignore[reportArgumentType]
    line = next(line for line in path.read_text().splitlines() if line.startswith("*-"))
    _, cursor, *places = line.split()
    kept = given[-marks._NAMED :]
    assert cursor == str(kept[0][0])
    assert places == [str(at) for at, _ in kept] + ["-1"] * (marks._NAMED - len(kept))
    assert len((tmp_path / "marks.csv").read_text().splitlines()) == count + 1


def test_leakage_of_a_block_is_what_flows_at_the_end_of_each_vector(monkeypatch: pytest.MonkeyPatch) -> None:
    """A burst of 3 fC in the middle of each period of 2 ns and 5 uA all the time: 3 fC at 1 V are left."""
    time = np.arange(0.0, 20.0, 0.01)
    start = transistor.SETTLE_NS
    burst = (np.abs((time - start) % 2.0 - 1.0) < 0.5) & (time >= start)
    current = -(np.where(time >= start - 0.5, 5e-6, 0.0) + np.where(burst, 3e-6, 0.0))
    waves = {"time": time * 1e-9, "i(vdd)": current}
    monkeypatch.setattr(spice, "run", lambda deck, timeout: waves)
    monkeypatch.setattr(transistor, "deck", lambda *given: "")
    streams = {"a": np.zeros((5, 1), np.int64)}
    found = transistor.energy_fj(None, None, streams, 2.0, 0.03)  # pyright: ignore[reportArgumentType]
    assert found == pytest.approx(3.0 * transistor.VOLTAGE_V, rel=0.02)


def test_the_score_of_one_core_comes_with_the_events_that_values_decide() -> None:
    _, counts = npu_score.score(chips.load("npu_16"), workloads.load("digits_60"), 1)
    assert counts["output_stage.saturate"] == 1615
