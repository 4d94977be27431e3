"""`python -m model cycles`: budget, utilisation, other simulators, changes, errors."""

import json
import random
from typing import Any

import pytest

from hw.spec.change import change
from hw.spec.command_line import main
from hw.spec.core import CoreSpec
from hw.spec.error import InputError
from hw.spec.mac_array import MacArraySpec
from model import cli
from model.comparison import add, difference
from model.cycle import mac_array
from model.cycle.array_form import closed_form
from model.cycle.budget import Budget
from model.cycle.timing import OUTPUT_CYCLES, PREPARE_CYCLES
from model.network.workload import shipped_with_onnx
from model.others import Estimate, Term, load
from model.workload import Gemm

CORE = PREPARE_CYCLES + OUTPUT_CYCLES
"""Cycles of the weight-stationary core around its array."""


def cycles(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main("model", cli, ["cycles", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main("model", cli, ["cycles", *arguments]) == 2
    return capsys.readouterr().err


def test_budget_sums_to_the_cycles_of_the_closed_form(capsys: pytest.CaptureFixture[str]) -> None:
    result = cycles(capsys, "--gemm", "256,256,256", "--rows", "16", "--columns", "16", "--dataflow", "ws")
    assert result["cycles"] == 65584 + CORE == sum(result["budget"].values())
    assert result["utilisation"] == pytest.approx(256**3 / 256 / (65584 + CORE))
    result = cycles(capsys, "--gemm", "40,20,3", "--rows", "8", "--columns", "4", "--dataflow", "os")
    assert result["cycles"] == 24 * 8 + 3 + 16 + 4 - 1 == sum(result["budget"].values())


def test_others_are_given_and_null_where_they_have_no_such_dataflow(capsys: pytest.CaptureFixture[str]) -> None:
    shape = ("--gemm", "64,64,64", "--rows", "16", "--columns", "16")
    ws = cycles(capsys, *shape, "--dataflow", "ws")["others"]
    assert (ws["maestro"], ws["zigzag"], ws["scalesim3"], ws["scalesim1"]) == (1041, 1268, 1760, 1792)
    assert ws["stonne"] is None
    os = cycles(capsys, *shape, "--dataflow", "os")["others"]
    assert (os["maestro"], os["zigzag"], os["scalesim3"], os["scalesim1"]) == (1041, 1031, 1504, 1039)
    assert (os["stonne"], os["onnxim"]) == (1584, None)


def test_input_stationary_counts_the_others_only(capsys: pytest.CaptureFixture[str]) -> None:
    result = cycles(capsys, "--gemm", "64,64,64", "--rows", "16", "--columns", "16", "--dataflow", "is")
    assert (result["cycles"], result["utilisation"], result["budget"]) == (None, None, {})
    assert (result["others"]["scalesim3"], result["others"]["scalesim1"]) == (1760, 1776)
    assert "no input-stationary build" in result["note"]


def test_the_difference_names_the_largest_term(capsys: pytest.CaptureFixture[str]) -> None:
    result = cycles(capsys, "--gemm", "64,64,64", "--rows", "16", "--columns", "16", "--dataflow", "ws")
    assert result["difference"]["zigzag"]["cycles"] == 1268 - 1072 - CORE
    assert result["difference"]["zigzag"]["label"] == "load"
    assert result["difference"]["ideal"]["reason"] == "counts no fill"


def test_the_table_shows_budget_and_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("model", cli, ["cycles", "--gemm", "64,64,64", "--rows", "16", "--columns", "16"]) == 0
    text = capsys.readouterr().out
    assert "1,081" in text
    assert "prints 1,759" in text
    assert "skew R + C - 2 in every fold" in text


def test_a_convolution_is_counted_padded_and_by_each_tool_its_own_way(capsys: pytest.CaptureFixture[str]) -> None:
    result = cycles(capsys, "--conv", "224,224,3,64,7,7,2", "--chip", "npu_16")
    assert result["macs"] == 109 * 109 * 64 * 147
    assert result["others"]["scalesim3"] == 485840  # 110 x 110 pixels: it rounds up
    padded = cycles(capsys, "--conv", "224,224,3,64,7,7,2,3", "--rows", "128", "--columns", "128")
    assert padded["others"]["onnxim"] == pytest.approx(615286, rel=0.005)


@pytest.mark.parametrize(("change_text", "expected"), [
    ("mac_latency=4", 1072 + 3 * 16), ("weight_double_buffer=false", 1072 + 15 * 16),
    ("fold_overlap=off", 16 * (16 + 64 + 16 + 16)),
])
def test_switches_change_the_count(capsys: pytest.CaptureFixture[str], change_text: str, expected: int) -> None:
    result = cycles(capsys, "--gemm", "64,64,64", "--rows", "16", "--columns", "16", "--set", change_text)
    assert result["cycles"] == expected + CORE


def test_fewer_rows_than_a_load_takes_show_as_bubbles(capsys: pytest.CaptureFixture[str]) -> None:
    result = cycles(capsys, "--gemm", "10,32,32", "--chip", "npu_16")
    # 10 rows on an array that takes 16 cycles to load: 6 lost per pass but the last
    assert result["budget"]["bubble"] == 6 * (4 - 1)


@pytest.mark.parametrize(("arguments", "sentence"), [
    (("--gemm", "64,64"), "the work must be given as M,N,K, not '64,64'"),
    (("--gemm", "64,64,a"), "integers M,N,K"),
    (("--gemm", "64,64,0"), "k of GEMM 'gemm' must be an integer of at least 1, not 0"),
    (("--gemm", "8,8,8", "--set", "rws=3"), "did you mean 'rows'?"),
    (("--gemm", "8,8,8", "--set", "rows"), "must read FIELD=VALUE"),
    (("--gemm", "8,8,8", "--set", "rows=many"), "rows must be a number, not 'many'"),
    (("--gemm", "8,8,8", "--set", "fold_overlap=2"), "fold_overlap must be true or false"),
    (("--gemm", "8,8,8", "--set", "drain=up"), "drain must be 'columns' or 'link', not 'up'"),
    (("--gemm", "8,8,8", "--rows", "0"), "rows must be an integer of at least 1, not 0"),
    (("--gemm", "8,8,8", "--chip", "npu_61"), "did you mean 'npu_16'?"),
    (("--gemm", "8,8,131072"), "k must be at most 131071 = 2**31 / 2**14 - 1 (products of up to 2**14"),
    (("--conv", "4,4,1,1,5,5"), "must fit the padded input"),
])
def test_bad_input_is_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    error = refused(capsys, *arguments)
    assert error.startswith("error: ")
    assert sentence in error
    assert error.count("\n") == 1


def test_changes_reach_nested_fields_together() -> None:
    array = change(MacArraySpec(rows=4, columns=4), ["rows=8", "mac_latency=3", "drain=link"])
    assert (array.rows, array.mac_latency, array.drain) == (8, 3, "link")
    with pytest.raises(InputError, match="rows must be an integer from 2 to 256, not 1"):
        change(array, ["rows=1"])


def test_sums_of_estimates_join_terms_of_one_name() -> None:
    one = load("scalesim3").count(Gemm(name="g", m=10, n=4, k=4), 4, 4, "ws")
    two = load("scalesim3").count(Gemm(name="g", m=20, n=4, k=4), 4, 4, "ws")
    assert one is not None
    assert two is not None
    total = add([one, two])
    assert total is not None
    assert len(total.terms) == 3
    assert total.cycles == one.cycles + two.cycles
    assert total.reported == total.cycles - 2
    assert add([one, None]) is None


def test_equal_counts_have_no_difference() -> None:
    estimate = Estimate(terms=(Term(name="stream", label="stream", cycles=5),))
    assert difference(estimate, Budget(stream=5)).label is None


def test_the_array_form_is_the_core_without_its_pipeline() -> None:
    draw = random.Random(7)
    for _ in range(500):
        rows, columns, latency = draw.randint(2, 20), draw.randint(2, 20), draw.randint(1, 4)
        core = CoreSpec(
            array=MacArraySpec(
                rows=rows, columns=columns, mac_latency=latency,
                activation_format=(form := draw.choice(["int8", "int4"])), weight_format=form,
            ),
            activation_words=1, weight_words=1, accumulator_rows=1 << draw.randint(7, 9), output_words=1,
        )
        gemm = Gemm(name="g", m=draw.randint(1, 700), n=draw.randint(1, 60), k=draw.randint(1, 60))
        ours = closed_form(core.array, gemm, core.block_rows)
        assert ours.cycles + CORE == mac_array.closed_form(core, [(gemm.m, gemm.n, gemm.k)]).cycles, (core, gemm)


def test_a_network_is_counted_layer_by_layer(capsys: pytest.CaptureFixture[str]) -> None:
    result = cycles(capsys, "--network", str(shipped_with_onnx("light_resnet50")), "--chip", "npu_16")
    assert result["layers"] == 54
    assert result["macs"] == pytest.approx(3.86e9, rel=0.06)
    assert result["others"]["ideal"] < result["cycles"] < result["others"]["scalesim3"]
    # one GEMM per filter tap: the first layer costs ONNXim 49 passes over 3 of 16 rows
    assert result["others"]["onnxim"] > result["others"]["ideal"] + 1_900_000


def test_dram_pim_kernels_have_their_own_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main("model", cli, ["cycles", "--kernel", "gemv", "--help"])
    assert stopped.value.code == 0
    assert "--kernel" in capsys.readouterr().out
