"""Prediction: the cut over arrays, the record, the statement of what is missing."""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import pytest

import model.cli
from hw import chips
from hw.base.command_line import main
from hw.base.error import InputError
from model import workloads
from model.card.survey import survey
from model.cli import predict as verb
from model.cli import survey as survey_verb
from model.cycle.npu.core import closed_form
from model.cycle.npu.core_budget import core_labels
from model.cycle.npu.partition import partition, repeated
from model.network.resnet import resnet_50
from model.predict import predict
from model.record import read, result_bytes
from model.work.workload import Gemm

WARBOY = chips.load("furiosa_warboy")
SLICE = WARBOY.core
assert SLICE is not None

SHAPES = [
    (12544, 64, 147, 1),
    (3136, 64, 64, 1),
    (49, 2048, 512, 1),
    (1, 1000, 2048, 1),
    (784, 1, 9, 112),
    (5, 3, 7, 1),
    (384, 384, 64, 16),
    (1, 1, 1, 1),
    (127, 513, 33, 3),
]


@pytest.mark.parametrize("shape", SHAPES)
def test_one_array_takes_what_the_closed_form_says(shape: tuple[int, int, int, int]) -> None:
    m, n, k, count = shape
    cut = partition(SLICE, 1, Gemm(name="x", m=m, n=n, k=k, count=count))
    assert cut.share.arrays == 1
    assert cut.timing.cycles == closed_form(SLICE, [(m, n, k)] * count).cycles


@pytest.mark.parametrize("times", [1, 2, 3, 50])
@pytest.mark.parametrize("shape", [(1, 9, 9), (5, 40, 70), (700, 8, 64), (1100, 3, 33)])
def test_a_chain_of_equal_products_is_the_closed_form_of_all_of_them(shape: tuple[int, int, int], times: int) -> None:
    chain, short = closed_form(SLICE, [shape] * times), repeated(SLICE, shape, times)
    assert (short.cycles, short.budget, short.counts) == (chain.cycles, chain.budget, chain.counts)
    assert short.utilisation == pytest.approx(chain.utilisation)


@pytest.mark.parametrize("arrays", [2, 7, 11, 64, 128])
@pytest.mark.parametrize("shape", SHAPES)
def test_more_arrays_are_never_slower_and_never_faster_than_their_number(
    shape: tuple[int, int, int, int], arrays: int
) -> None:
    m, n, k, count = shape
    gemm = Gemm(name="x", m=m, n=n, k=k, count=count)
    one, many = partition(SLICE, 1, gemm), partition(SLICE, arrays, gemm)
    assert many.share.arrays <= arrays
    assert one.timing.cycles / arrays <= many.timing.cycles <= one.timing.cycles
    assert gemm.macs <= many.timing.cycles * arrays * SLICE.array.cells


@pytest.mark.parametrize("arrays", [1, 7, 128])
@pytest.mark.parametrize("shape", SHAPES)
def test_counts_of_all_arrays_cover_every_output_once(shape: tuple[int, int, int, int], arrays: int) -> None:
    m, n, k, count = shape
    counts = partition(SLICE, arrays, Gemm(name="x", m=m, n=n, k=k, count=count)).counts
    blocks, terms = -(-n // SLICE.array.columns), -(-k // SLICE.array.rows)
    assert counts["output_memory.write"] == m * blocks * count
    assert counts["accumulator.write"] == m * blocks * terms * count
    assert counts["mac_array.mac"] == m * blocks * terms * count * SLICE.array.cells


def test_columns_are_cut_before_rows_when_both_are_as_fast() -> None:
    share = partition(SLICE, 8, Gemm(name="x", m=4096, n=32, k=64)).share
    assert (share.rows, share.columns) == (1, 8)


def test_queued_gemms_take_the_cycles_of_one_chain() -> None:
    chip, workload = chips.load("npu_16"), workloads.load("gemm_queue")
    assert chip.core is not None
    prediction = predict(chip, workload)
    # a command works on whole blocks of 16 columns and terms
    whole = [(g.m, -(-g.n // 16) * 16, -(-g.k // 16) * 16) for g in workload.gemms()]
    chain = closed_form(chip.core, whole)
    assert prediction.cycles == sum(layer["cycles"] for layer in prediction.layers) == chain.cycles
    assert dict(prediction.phases) == chain.budget
    assert prediction.counts == chain.counts


def test_a_chip_with_one_core_runs_each_gemm_by_itself() -> None:
    chip = chips.load("npu_16")
    assert chip.core is not None
    prediction = predict(chip, workloads.load("gemm_sweep"))
    for layer in prediction.layers:
        assert layer["cycles"] == closed_form(chip.core, [(layer["m"], layer["n"], layer["k"])]).cycles
    assert sum(prediction.phases.values()) == prediction.cycles


def test_a_gemm_larger_than_the_memories_is_run_in_pieces() -> None:
    tiny = chips.load("tiny")
    assert tiny.core is not None
    prediction = predict(tiny, workloads.load("gemm_128"))
    assert prediction.cycles > closed_form(tiny.core, [(128, 128, 128)]).cycles
    assert prediction.counts["mac_array.mac"] == 128**3
    assert prediction.counts["command.accept"] > 1


def test_resnet_50_on_warboy_stays_below_its_published_rate_of_arithmetic() -> None:
    prediction = predict(WARBOY, workloads.load("resnet50"))
    assert len(prediction.layers) == 54
    assert prediction.macs == 4_089_184_256
    assert prediction.macs / WARBOY.macs_per_cycle <= prediction.cycles
    # measured at 0.7122 ms single-stream (MLPerf v2.0): the arrays alone must be faster than all of it
    assert WARBOY.clock is not None
    assert prediction.cycles / (WARBOY.clock.nominal * 1e6) < 0.7122


def test_a_whole_network_is_predicted_within_50_ms() -> None:
    network = resnet_50("3x3")

    class Shapes:
        gemms = staticmethod(network.gemms)

    predict(WARBOY, Shapes())  # type: ignore[arg-type]
    start = time.process_time()
    predict(WARBOY, Shapes())  # type: ignore[arg-type]
    assert time.process_time() - start < 0.05


def test_a_chip_without_a_core_is_refused() -> None:
    with pytest.raises(InputError, match="not published facts alone as 'NVIDIA T4: Turing inference card'"):
        predict(chips.load("nvidia_t4"), workloads.load("resnet50"))


def arguments(chip: str, workload: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    verb.add_arguments(parser)
    return parser.parse_args(["--chip", chip, "--workload", workload, "--seed", "3", "--layers"])


def test_the_record_of_equal_runs_is_equal_and_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "build" / "records" / "npu_16"
    results = []
    for _ in range(2):
        assert verb.run(arguments("npu_16", "digits_60")) == 0
        (path,) = folder.iterdir()
        results.append(read(path).result)
        path.unlink()
    assert result_bytes(results[0]) == result_bytes(results[1])
    assert results[0].figures["images"] == 60
    assert results[0].figures["correct"] >= 55
    assert [layer["name"] for layer in results[0].layers] == ["layer_0", "layer_1", "layer_2"]
    assert "60 handwritten digits" in capsys.readouterr().out


def test_the_summary_says_what_is_not_modelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert verb.run(arguments("furiosa_warboy", "resnet50")) == 0
    out = capsys.readouterr().out
    assert "not modelled yet external memory" in out
    assert "images/s" in out
    assert "128 arrays of 32 x 4" in out
    assert "hypothesis" in out


def test_a_card_of_two_devices_has_twice_the_rate_of_one() -> None:
    one, two = survey(["sapeon_x220_compact", "sapeon_x220_enterprise"], ["resnet50"])
    assert two.rate == pytest.approx(2 * one.rate, rel=0.01)  # two devices; a longer way through more cores


def test_the_survey_gives_a_rate_or_a_reason_for_every_pair() -> None:
    entries = survey(["furiosa_warboy", "deepx_dx_m1", "nvidia_t4"], ["ssd_mobilenet", "llama31_8b_decode"])
    assert len(entries) == 6
    assert all((entry.rate > 0) != bool(entry.reason) for entry in entries)
    reasons = {(entry.chip, entry.workload): entry.reason for entry in entries}
    assert "on each of 1, the card has 4.0 GB; use more cards" in reasons["deepx_dx_m1", "llama31_8b_decode"]
    assert reasons["nvidia_t4", "ssd_mobilenet"] == ""


def test_the_survey_writes_one_line_per_pair(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "new" / "survey.csv"
    chosen = argparse.Namespace(chips=["furiosa_warboy", "hbm_pim"], workloads=["resnet50"], output=output, json=False)
    assert survey_verb.run(chosen) == 0
    lines = output.read_text().splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("resnet50,furiosa_warboy,")
    assert "2 pairs, 1 of them with a rate" in capsys.readouterr().out


def test_the_survey_covers_all_named_products_and_networks() -> None:
    assert {"furiosa_warboy", "lpddr5x_pim", "hbm_pim"} <= set(survey_verb.products())
    assert {"resnet50", "bert_large", "mixtral_8x7b_decode"} <= set(survey_verb.networks())
    assert "tiny" not in survey_verb.products()


def test_a_layer_larger_than_the_scratchpads_is_counted_as_cycles_counts_it_and_named() -> None:
    small = replace(chips.load("tiny").core, activation_words=64, weight_words=64)  # type: ignore[type-var]
    chip = replace(chips.load("tiny"), machine=small)

    class Shapes:
        queued = False

        def gemms(self) -> list[Gemm]:
            return [Gemm(name="fits", m=4, n=4, k=16), Gemm(name="wide", m=8, n=8, k=4608)]

    found = predict(chip, Shapes())  # type: ignore[arg-type]
    assert found.layers[1]["cycles"] == sum(core_labels(small, (8, 8, 4608)).values())
    assert len(found.notes) == 1
    assert "wide (1 of the layers" in found.notes[0]
    assert sum(found.phases.values()) == found.cycles


def test_a_layer_whose_sums_leave_the_accumulator_is_refused_by_name() -> None:
    class Shapes:
        queued = False

        def gemms(self) -> list[Gemm]:
            return [Gemm(name="fc7", m=1, n=1, k=131_072)]

    with pytest.raises(InputError, match="k of layer 'fc7' must be at most 131071"):
        predict(chips.load("tiny"), Shapes())  # type: ignore[arg-type]


def test_a_product_of_too_many_commands_ends() -> None:
    class Shapes:
        queued = False

        def gemms(self) -> list[Gemm]:
            return [Gemm(name="endless", m=2**40, n=2**40, k=64)]

    assert predict(chips.load("tiny"), Shapes()).cycles > 2**80 // 1000  # type: ignore[arg-type]


def test_operands_of_another_format_than_the_core_multiplies_are_named() -> None:
    bf16, gemm = chips.load("npu_16_bf16"), workloads.load("gemm_16")
    (note,) = verb.foreign_formats(bf16, gemm)
    assert note.startswith("shapes alone: operands of GEMM 'gemm_16' must be bf16 x bf16 on this core, they are int8")
    assert note in "\n".join(verb.summary(bf16, gemm, predict(bf16, gemm), {}))
    assert verb.foreign_formats(chips.load("npu_16"), gemm) == []
    assert verb.foreign_formats(bf16, workloads.load("resnet50")) == []


@pytest.mark.parametrize("workload", ["gemm_16", "gemm_ragged", "gemm_queue", "gemm_sweep"])
def test_shapes_alone_are_not_said_to_be_of_a_format_the_core_lacks(
    workload: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main("model", model.cli, ["predict", "--chip", "npu_16_bf16", "--workload", workload]) == 0
    said = capsys.readouterr().out
    assert "INT8" not in said
    assert "BF16" in said
    assert "note             shapes alone: " in said
    assert " 1 GEMMs" not in said
