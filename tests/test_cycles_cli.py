"""`kcloud-cosim cycles`: budget, utilisation, other simulators, changes, errors."""

import json
import random
from typing import Any

import pytest

from hw.base.change import change
from hw.base.command_line import main
from hw.base.error import InputError
from hw.spec.command import Command
from hw.spec.core import CoreSpec
from hw.spec.dma import DmaSpec
from hw.spec.mac_array import MacArraySpec
from model import cli
from model.comparison.comparison import add, difference
from model.cycle.budget import Budget
from model.cycle.npu import core as mac_array
from model.cycle.npu.core_budget import budget_of, core_labels
from model.cycle.npu.program.program import step_program
from model.cycle.npu.timing import OUTPUT_CYCLES, PREPARE_CYCLES
from model.lowering.program import place, streamed
from model.network.workload import shipped_with_onnx
from model.other_simulators import Estimate, Term, load
from model.work.workload import Gemm
from tests.support.array_form import closed_form

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
    assert result["cycles"] == 24 * 8 + 3 + 16 + 4 - 1 + CORE == sum(result["budget"].values())
    assert result["budget"]["bubble"] == 24 * (8 - 3)


def test_others_are_given_and_null_where_they_have_no_such_dataflow(capsys: pytest.CaptureFixture[str]) -> None:
    shape = ("--gemm", "64,64,64", "--rows", "16", "--columns", "16")
    ws = cycles(capsys, *shape, "--dataflow", "ws")["others"]
    assert (ws["maestro"], ws["zigzag"], ws["scalesim3"], ws["scalesim1"]) == (1041, 1268, 1760, 1792)
    assert ws["stonne"] is None
    os = cycles(capsys, *shape, "--dataflow", "os")["others"]
    assert (os["maestro"], os["zigzag"], os["scalesim3"], os["scalesim1"]) == (1041, 1031, 1504, 1039)
    assert (os["stonne"], os["onnxim"]) == (1584, None)


def test_input_stationary_is_the_transposed_product_on_the_weight_stationary_core(
    capsys: pytest.CaptureFixture[str],
) -> None:
    result = cycles(capsys, "--gemm", "64,64,64", "--rows", "16", "--columns", "16", "--dataflow", "is")
    assert (result["others"]["scalesim3"], result["others"]["scalesim1"]) == (1760, 1776)
    array = ("--rows", "8", "--columns", "4", "--dataflow")
    held = cycles(capsys, "--gemm", "50,30,20", *array, "is")
    assert held["budget"] == cycles(capsys, "--gemm", "30,50,20", *array, "ws")["budget"]
    assert "transposed" in held["notes"][0]


def test_an_array_that_is_not_built_counts_the_others_only(capsys: pytest.CaptureFixture[str]) -> None:
    result = cycles(capsys, "--gemm", "64,64,64", "--rows", "1", "--columns", "16")
    assert (result["cycles"], result["utilisation"], result["budget"]) == (None, None, {})
    assert result["others"]["scalesim3"] == 64 * 4 * (2 + 16 + 64 - 2)


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


@pytest.mark.parametrize(
    ("change_text", "expected"),
    [
        ("mac_latency=4", 1072 + 3 * 16),
        ("weight_double_buffer=false", 1072 + 15 * 16),
        ("fold_overlap=off", 16 * (16 + 64 + 16 + 16)),
        ("activation_format=fp16,weight_format=bf16,output_format=fp32", 1072),
        ("activation_format=int4,weight_format=int4", 1072 - 8 * 64),
    ],
)
def test_switches_change_the_count(capsys: pytest.CaptureFixture[str], change_text: str, expected: int) -> None:
    result = cycles(
        capsys,
        "--gemm",
        "64,64,64",
        "--rows",
        "16",
        "--columns",
        "16",
        *(f"--set={one}" for one in change_text.split(",")),
    )
    assert result["cycles"] == expected + CORE


@pytest.mark.parametrize(
    ("change_text", "expected"),
    [
        ("drain=columns", 16 * 64 + 16 + 16 + 15),
        ("drain=link", 16 * 64 + 16 + 16),
        ("drain=link,fold_overlap=off", 16 * (64 + 16 + 16)),
        ("fold_overlap=off", 16 * (64 + 16 + 16 + 15)),
    ],
)
def test_switches_change_the_output_stationary_count(
    capsys: pytest.CaptureFixture[str], change_text: str, expected: int
) -> None:
    result = cycles(
        capsys,
        "--gemm",
        "64,64,64",
        "--rows",
        "16",
        "--columns",
        "16",
        "--dataflow",
        "os",
        *(f"--set={one}" for one in change_text.split(",")),
    )
    assert result["cycles"] == expected + CORE == sum(result["budget"].values())


@pytest.mark.parametrize(
    "changes",
    [
        ("bytes_per_cycle=16",),
        ("bytes_per_cycle=4", "latency_cycles=100"),
        ("latency_cycles=1", "banks=1"),
        ("bytes_per_cycle=2", "weight_double_buffer=off", "fold_overlap=off"),
    ],
)
def test_bandwidth_and_latency_change_the_count_as_the_stepped_core_says(
    capsys: pytest.CaptureFixture[str], changes: tuple[str, ...]
) -> None:
    sets = [f"--set={one}" for one in (*changes, "rows=4", "columns=8")]
    result = cycles(capsys, "--gemm", "50,20,30", *sets)
    core = CoreSpec(
        array=MacArraySpec(rows=4, columns=8),
        activation_words=1 << 12,
        weight_words=1 << 12,
        accumulator_rows=1 << 10,
        output_words=1 << 12,
        dma=DmaSpec(),
    )
    core = change(core, [one.removeprefix("--set=") for one in sets])
    stepped = step_program(core, streamed(core, place(core, [Command(m=50, n_blocks=3, k_blocks=8)])))
    assert result["cycles"] == stepped.cycles == sum(result["budget"].values())
    assert result["labels"] == dict(stepped.budget)
    assert "external memory" in result["notes"][0]


def test_layers_larger_than_the_memories_are_counted_out_of_scratchpads_and_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    result = cycles(capsys, "--conv", "56,56,64,64,3,3,1,1", "--chip", "npu_16_cnn")
    assert "larger than the memories" in result["notes"][1]
    plain = cycles(capsys, "--conv", "56,56,64,64,3,3,1,1", "--chip", "npu_16")
    assert result["cycles"] == plain["cycles"]


def test_int4_pairs_are_two_products_a_cell(capsys: pytest.CaptureFixture[str]) -> None:
    result = cycles(
        capsys,
        "--gemm",
        "4096,16,32",
        "--rows",
        "16",
        "--columns",
        "16",
        "--set=activation_format=int4",
        "--set=weight_format=int4",
    )
    assert 0.95 < result["utilisation"] <= 1


def test_fewer_rows_than_a_load_takes_show_as_bubbles(capsys: pytest.CaptureFixture[str]) -> None:
    result = cycles(capsys, "--gemm", "10,32,32", "--chip", "npu_16")
    # 10 rows on an array that takes 16 cycles to load: 6 lost per pass but the last
    assert result["budget"]["bubble"] == 6 * (4 - 1)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--gemm", "64,64"), "the work must be given as M,N,K, not '64,64'"),
        (("--gemm", "64,64,a"), "integers M,N,K"),
        (("--gemm", "64,64,0"), "k of GEMM 'gemm' must be an integer of at least 1, not 0"),
        (("--gemm", "8,8,8", "--set", "rws=3"), "did you mean 'rows'?"),
        (("--gemm", "8,8,8", "--set", "rows"), "must read FIELD=VALUE"),
        (("--gemm", "8,8,8", "--set", "rows=many"), "rows must be a number, not 'many'"),
        (("--gemm", "8,8,8", "--set", "fold_overlap=2"), "fold_overlap must be true or false"),
        (("--gemm", "8,8,8", "--set", "dma=8"), "FIELD must be a known one"),
        (("--gemm", "8,8,8", "--set", "drain=up"), "drain must be 'columns' or 'link', not 'up'"),
        (("--gemm", "8,8,8", "--rows", "0"), "rows must be an integer of at least 1, not 0"),
        (("--gemm", "8,8,8", "--chip", "npu_61"), "did you mean 'npu_16'?"),
        (("--gemm", "8,8,131072"), "k must be at most 131071 = 2**31 / 2**14 - 1 (products of up to 2**14"),
        (("--conv", "4,4,1,1,5,5"), "must fit the padded input"),
        (("--conv", "4,4,1,1"), "must be given as H,W,C,FILTERS,KH,KW"),
        (("--gemm", "-1,8,8"), "m of GEMM 'gemm' must be an integer of at least 1, not -1"),
        (("--network", "nonesuch.onnx"), "there is no such file"),
        (("--gemm", "8,8,8", "--dataflow", "os", "--set", "mac_latency=4"), "mac_latency"),
    ],
)
def test_bad_input_is_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    error = refused(capsys, *arguments)
    assert error.startswith("error: ")
    assert sentence in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--gemm", "8,8,8", "--conv", "4,4,1,1,1,1"), "not allowed with argument --gemm"),
        ((), "is required"),
        (("--gemm", "8,8,8", "--rows", "1.5"), "invalid int value: '1.5'"),
        (("--gemm", "8,8,8", "--dataflow", "rs"), "invalid choice: 'rs'"),
    ],
)
def test_options_that_cannot_be_are_one_sentence_too(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main("model", cli, ["cycles", *arguments])
    error = capsys.readouterr().err
    assert stopped.value.code == 2
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


def drawn_core(draw: random.Random, formats: tuple[str, ...] = ("int8", "int4")) -> CoreSpec:
    """A core of any shape, dataflow and switch the specification has."""
    dataflow, form = draw.choice(["ws", "os"]), draw.choice(formats)
    latency = draw.randint(1, 4) if dataflow == "ws" or form == "bf16" else 1
    return CoreSpec(
        array=MacArraySpec(
            rows=draw.randint(2, 20),
            columns=draw.randint(2, 20),
            dataflow=dataflow,
            mac_latency=latency,
            drain=draw.choice(["columns", "link"]),
            fold_overlap=draw.random() < 0.7 or (dataflow == "os" and latency > 1),
            weight_double_buffer=draw.random() < 0.7,
            activation_format=form,
            weight_format=form,
        ),
        activation_words=1,
        weight_words=1,
        accumulator_rows=1 << draw.randint(8, 9),
        output_words=1,
        output_format="fp32" if form == "bf16" else "int8",
    )


def test_the_budget_is_the_stepped_core_under_other_labels() -> None:
    draw = random.Random(7)
    for _ in range(600):
        core, count = drawn_core(draw, ("int8", "int4", "bf16")), draw.choice([1, 1, 2, 5])
        shape = (draw.randint(1, 700), draw.randint(1, 60), draw.randint(1, 60))
        budget = budget_of(core, core_labels(core, shape, count))
        stepped = mac_array.step(core, [shape] * count)
        assert budget.cycles == stepped.cycles, (core, shape, count)
        assert (budget.stream, budget.prepare) == (stepped.budget["stream"], stepped.budget["prepare"])
        assert min(budget.as_dict().values()) >= 0


def test_the_budget_is_the_form_of_the_bare_array_with_the_core_around_it() -> None:
    draw = random.Random(8)
    for _ in range(600):
        core = drawn_core(draw)
        gemm = Gemm(name="g", m=draw.randint(1, 700), n=draw.randint(1, 60), k=draw.randint(1, 60))
        if core.array.dataflow == "os" and (core.array.drain == "link" or core.array.k_per_block > 1):
            continue  # the output stage takes one row per cycle: the core's folds come less often than the array's
        bare = closed_form(core.array, gemm, core.block_rows)
        assert budget_of(core, core_labels(core, (gemm.m, gemm.n, gemm.k))) == bare + Budget(
            prepare=PREPARE_CYCLES, drain=OUTPUT_CYCLES
        ), (core, gemm)


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
