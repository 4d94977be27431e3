"""The closed forms of other simulators against what those simulators counted."""

import csv
from pathlib import Path

import pytest

from hw.base.error import InputError
from model import other_simulators
from model.other_simulators import Convolution, Dataflow, zigzag
from model.work.workload import Gemm

DATA = Path(__file__).parent / "data"
DATAFLOWS: tuple[Dataflow, ...] = ("ws", "os", "is")


def rows_of(name: str) -> list[dict[str, str]]:
    with open(DATA / f"npusim_{name}.csv", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def gemm_of(row: dict[str, str]) -> Gemm:
    return Gemm(name="row", m=int(row["M"]), n=int(row["N"]), k=int(row["K"]))


def count(simulator: str, gemm: Gemm, rows: int, columns: int, dataflow: Dataflow) -> int:
    estimate = other_simulators.load(simulator).count(gemm, rows, columns, dataflow)
    assert estimate is not None
    return estimate.cycles


COLUMNS = {
    "folds_x_T": "ideal",
    "maestro_inf_bw": "maestro",
    "zigzag_inf_bw": "zigzag",
    "scalesim_v1": "scalesim1",
    "stonne_os_mesh": "stonne",
    "scalesim3": "scalesim3",
    "ispass2020_eq": "ispass2020",
}


@pytest.mark.parametrize("column", COLUMNS)
def test_every_side_by_side_row_is_reproduced_exactly(column: str) -> None:
    checked = 0
    for row in rows_of("gemm_side_by_side"):
        if row[column]:
            size = int(row["array"].split("x")[0])
            assert count(COLUMNS[column], gemm_of(row), size, size, row["dataflow"]) == int(row[column]), row
            checked += 1
    assert checked >= 9


def test_onnxim_is_within_one_percent_of_every_row() -> None:
    rows = [row for row in rows_of("gemm_side_by_side") if row["onnxim"]]
    assert len(rows) == 9
    for row in rows:
        size = int(row["array"].split("x")[0])
        ours = count("onnxim", gemm_of(row), size, size, "ws")
        assert ours == pytest.approx(int(row["onnxim"]), rel=0.01), row


def test_onnxim_decode_row_is_within_a_tenth_of_a_percent() -> None:
    # 1 x 4096 x 4096 on 128 x 128: measured 132,558
    assert count("onnxim", Gemm(name="decode", m=1, n=4096, k=4096), 128, 128, "ws") == pytest.approx(132558, rel=1e-3)


@pytest.mark.parametrize(("simulator", "cycles"), [("maestro", 2049), ("zigzag", 131096), ("scalesim3", 392192)])
def test_decode_row_on_128_is_reproduced(simulator: str, cycles: int) -> None:
    assert count(simulator, Gemm(name="decode", m=1, n=4096, k=4096), 128, 128, "ws") == cycles


def test_scalesim3_reports_one_less_than_it_counts() -> None:
    measured = 0
    for row in rows_of("scalesim3_gemm"):
        size = int(row["array"].split("x")[0])
        estimate = other_simulators.load("scalesim3").count(gemm_of(row), size, size, row["dataflow"])
        assert estimate is not None
        assert estimate.cycles == int(row["formula_folds_x_len"])
        if row["reported_total_cycles"]:
            assert estimate.reported == int(row["reported_total_cycles"])
            measured += 1
    assert measured >= 20


def convolution_of(row: dict[str, str], padding: int = 0) -> Convolution:
    return Convolution(
        name=row["layer_first"],
        height=int(row["ifmap_h"]),
        width=int(row["ifmap_w"]),
        channels=int(row["channels"]),
        filters=int(row["filters"]),
        kernel_height=int(row["filt_h"]),
        kernel_width=int(row["filt_w"]),
        stride=int(row["stride"]),
        padding=padding,
    )


def test_scalesim3_lowers_every_resnet50_layer_as_it_does() -> None:
    simulator = other_simulators.load("scalesim3")
    for row in rows_of("resnet50_layers"):
        size = int(row["array"].split("x")[0])
        work = convolution_of(row)
        lowered = simulator.lower(work)
        assert (lowered.m, lowered.n, lowered.k) == (int(row["M"]), int(row["N"]), int(row["K"])), row
        estimate = simulator.count_convolution(work, size, size, row["dataflow"])
        assert estimate is not None
        assert estimate.cycles == int(row["scalesim3_formula"]), row
        if row["scalesim3_reported"]:
            assert estimate.reported == int(row["scalesim3_reported"]), row


def distinct_layers() -> list[tuple[dict[str, str], int]]:
    return [
        (row, int(row["count"]))
        for row in rows_of("resnet50_layers")
        if row["array"] == "16x16" and row["dataflow"] == "ws"
    ]


def test_resnet50_totals_of_scalesim3_are_reproduced() -> None:
    simulator = other_simulators.load("scalesim3")
    checked = 0
    for total in rows_of("resnet50_totals"):
        if not total["simulator"].startswith("SCALE-Sim"):
            continue
        size, dataflow = int(total["array"].split("x")[0]), total["dataflow"]
        estimates = [
            (simulator.count_convolution(convolution_of(row), size, size, dataflow), times)
            for row, times in distinct_layers()
        ]
        assert sum(e.cycles * times for e, times in estimates) == int(total["cycles_sum_of_folds_x_len"])
        reported = next(value for key, value in total.items() if key.startswith("cycles_as_reported"))
        assert sum(e.reported * times for e, times in estimates) == int(reported)
        checked += 1
    assert checked == 9


def test_onnxim_resnet50_totals_are_explained_within_four_percent() -> None:
    simulator = other_simulators.load("onnxim")
    checked = 0
    for total in rows_of("resnet50_totals"):
        if not total["simulator"].startswith("ONNXim"):
            continue
        size = int(total["array"].split("x")[0])
        cycles = 0
        for row, times in distinct_layers():
            if row["layer_first"] != "FC6":
                work = convolution_of(row, padding=int(row["filt_h"]) // 2)
                cycles += simulator.count_convolution(work, size, size, "ws").cycles * times
        assert cycles == pytest.approx(int(total["cycles_sum_of_folds_x_len"]), rel=0.04)
        checked += 1
    assert checked == 3


def test_other_tools_rows_with_ideal_memory_are_reproduced() -> None:
    names = {"ZigZag": "zigzag", "MAESTRO": "maestro", "STONNE": "stonne", "SCALE-Sim v1": "scalesim1"}
    checked = 0
    for row in rows_of("zigzag_maestro_stonne_v1_gemm"):
        if row["dram_bytes_per_cycle"] == "64":
            continue
        name = next(value for key, value in names.items() if row["simulator"].startswith(key))
        size = int(row["array"])
        assert count(name, gemm_of(row), size, size, row["dataflow"]) == float(row["cycles"]), row
        checked += 1
    assert checked == 69


def test_zigzag_is_reproduced_where_operands_exceed_the_sram_and_where_folds_are_ragged() -> None:
    rows = rows_of("zigzag_further")
    assert len(rows) >= 40
    for row in rows:
        size = int(row["rows"]), int(row["columns"])
        assert count("zigzag", gemm_of(row), *size, row["dataflow"]) == int(row["cycles"]), row


def test_zigzag_cuts_loops_into_six_factors_the_longest_first() -> None:
    assert zigzag.loop_factors({"m": 1, "n": 32, "k": 4096}) == {"m": [], "n": [2, 4, 4], "k": [16, 16, 16]}
    assert zigzag.loop_factors({"m": 7, "n": 6, "k": 1}) == {"m": [7], "n": [2, 3], "k": []}


def test_scalesim1_stacks_columns_when_k_fits_the_rows_twice() -> None:
    # K = 3 in 8 rows: two groups of 4 columns at once; 5 filters in one fold: load 6, then 4 + 3 + M
    assert count("scalesim1", Gemm(name="g", m=10, n=5, k=3), 8, 4, "ws") == 6 + 4 + 3 + 10
    assert count("scalesim1", Gemm(name="g", m=5, n=10, k=3), 8, 4, "is") == 6 + 3 + 10 + 4 - 1


def test_scalesim1_charges_only_the_edge_that_is_used() -> None:
    # 9 terms in 4 rows: 4 + 4 + 1; 5 filters in 3 columns: 3 + 2
    folds = [(r, c) for c in (3, 2) for r in (4, 4, 1)]
    assert count("scalesim1", Gemm(name="g", m=7, n=5, k=9), 4, 3, "ws") == sum(2 * r + c + 7 for r, c in folds)
    assert count("scalesim1", Gemm(name="g", m=5, n=7, k=9), 4, 3, "is") == sum(2 * r + c + 7 - 1 for r, c in folds)


def test_stonne_charges_each_tile_its_own_size() -> None:
    tiles = [(r, c) for r in (4, 4, 1) for c in (3, 2)]
    assert count("stonne", Gemm(name="g", m=9, n=5, k=7), 4, 3, "os") == sum(7 + r + c + 3 for r, c in tiles)


def test_terms_sum_to_the_count_and_labels_do_too() -> None:
    for name in other_simulators.names():
        for dataflow in DATAFLOWS:
            estimate = other_simulators.load(name).count(Gemm(name="g", m=33, n=20, k=50, count=3), 8, 8, dataflow)
            if estimate is not None:
                assert sum(estimate.by_label().values()) == estimate.cycles > 0


def test_counts_of_repeated_products_add_up() -> None:
    one, five = Gemm(name="g", m=33, n=20, k=50), Gemm(name="g", m=33, n=20, k=50, count=5)
    assert count("scalesim3", five, 8, 8, "ws") == 5 * count("scalesim3", one, 8, 8, "ws")


def test_a_tool_says_nothing_about_what_it_cannot_do() -> None:
    gemm = Gemm(name="g", m=8, n=8, k=8)
    assert other_simulators.load("stonne").count(gemm, 4, 4, "ws") is None
    assert other_simulators.load("onnxim").count(gemm, 4, 8, "ws") is None
    assert other_simulators.load("maestro").count(gemm, 4, 4, "is") is None


def test_bad_arrays_and_convolutions_are_refused() -> None:
    with pytest.raises(InputError, match="rows must be an integer of at least 1, not 0"):
        other_simulators.load("ideal").count(Gemm(name="g", m=8, n=8, k=8), 0, 4, "ws")
    with pytest.raises(InputError, match="kernel 5x5 must fit the padded input 4x4"):
        Convolution(name="c", height=4, width=4, channels=1, filters=1, kernel_height=5, kernel_width=5)
