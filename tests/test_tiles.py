"""GPUs as multiprocessors that take tiles: waves, feeds, clocks; held against products counted by hand."""

import pytest

from hw import chips
from model.card.device import device
from model.card.gpu_tiles import TILES, tiling
from model.card.machine import machine
from model.card.power_clock import clock_share
from model.card.run import offline, single_stream
from model.card.survey import network_of

UNIT = {"units": 4, "rate": 1000.0, "port": 1e9, "shared": 1e9, "number_bytes": 1.0}
GPUS = [name for name in chips.names() if name.startswith("nvidia")]


def test_a_product_of_one_full_wave_runs_at_the_peak() -> None:
    t = tiling(2 * 256, 2 * 128, 64, 1, **UNIT)  # four tiles of 256 x 128 on four units
    assert t.cycles == pytest.approx(512 * 256 * 64 / 4000)
    assert t.cycles == t.compute


def test_one_tile_more_costs_a_wave_more() -> None:
    full = tiling(4 * 256, 128, 64, 1, **UNIT)
    more = tiling(4 * 256 + 1, 128, 64, 1, **UNIT)
    assert more.cycles > full.cycles
    assert more.waves * more.rows * more.columns >= (4 * 256 + 1) * 128 / 4


def test_a_depth_that_is_no_multiple_of_an_instruction_is_rounded_up() -> None:
    assert tiling(256, 128, 33, 1, **UNIT).cycles == tiling(256, 128, 64, 1, **UNIT).cycles
    halves = UNIT | {"number_bytes": 2.0}
    assert tiling(256, 128, 17, 1, **halves).cycles == tiling(256, 128, 32, 1, **halves).cycles


def test_a_narrow_port_makes_the_product_wait_for_its_edges() -> None:
    narrow = UNIT | {"port": 10.0, "rate": 1e6}
    t = tiling(512, 256, 64, 1, **narrow)
    results = t.waves * t.rows * t.columns / 10
    assert t.cycles == t.feed > t.compute
    assert t.cycles == pytest.approx(t.waves * (t.rows + t.columns) * 64 / 10 + results)
    assert tiling(512, 256, 64, 1, **narrow, reuse=2).cycles < t.cycles


def test_waits_of_a_tile_are_hidden_by_others_as_far_as_the_registers_hold_them() -> None:
    alone, eight = (tiling(64 * n, 64, 64, 1, **(UNIT | {"units": 1}), latency=200.0) for n in (1, 8))
    assert alone.waves == 1
    assert eight.cycles < 8 * (alone.cycles + 200)
    one = 64 * 64 * 64 / 1000
    assert eight.cycles >= 8 * one


def test_a_deep_product_of_few_results_is_cut_along_its_depth() -> None:
    whole = tiling(32, 32, 4096, 1, **UNIT)
    assert whole.parts == 4  # as many as there are units
    assert whole.cycles < 32 * 32 * 4096 / 1000


def test_the_power_limit_sets_the_clock_between_base_and_most() -> None:
    rules = {"base": 0.5, "rest": 0.2, "memory_share": 0.2, "exponent": 2.0}
    assert clock_share(1.0, 1.0, **rules) == pytest.approx(0.5)  # the guarantee of the base clock
    assert clock_share(0.25, 1.0, **rules) == pytest.approx(1.0)
    assert clock_share(0.5, 1.0, **rules) == pytest.approx(0.5 * 2**0.5)
    assert clock_share(0.0, 1.0, **rules) == clock_share(0.1, 0.1, **rules) == 1.0
    assert clock_share(0.1, 0.1, **rules, most=1.2) == 1.2
    assert clock_share(1.0, 0.0, **rules) > 0.5  # an idle memory leaves its power to the arrays


def test_the_chosen_tile_is_the_fastest_of_all() -> None:
    best = tiling(196, 256, 2304, 1, **UNIT)
    for rows, columns in TILES:
        waves = -(-(-(-196 // rows) * -(-256 // columns)) // 4)
        assert best.cycles <= waves * rows * columns * 2304 / 1000 * 1.0001
    assert (best.rows, best.columns) in TILES


@pytest.mark.parametrize("name", GPUS)
def test_every_gpu_states_its_units_and_its_peak_is_units_times_cells_times_clock(name: str) -> None:
    card = device(chips.load(name))
    assert card.units > 0
    cells = card.rate("int8") / (card.units * card.clock.nominal * 1e9)  # INT8 cells of one multiprocessor
    power = min((1024, 2048, 4096), key=lambda c: abs(c - cells))
    if name != "nvidia_jetson_agx_orin":  # its peak includes two accelerators beside the multiprocessors
        assert cells == pytest.approx(power, rel=0.02)


@pytest.mark.parametrize("name", GPUS)
def test_a_serving_engine_runs_between_base_and_highest_clock(name: str) -> None:
    card = device(chips.load(name))
    assert card.base_share <= card.sustained.nominal <= card.most_share
    loaded, alone = machine(card, "int8"), machine(card, "int8", loaded=False)
    assert loaded.rate == pytest.approx(alone.rate * card.sustained.nominal)
    assert loaded.dram == alone.dram


@pytest.mark.parametrize(
    ("name", "published"),
    [("nvidia_t4", 6035.57), ("nvidia_a100_pcie", 36905.1), ("nvidia_h100_pcie", 56635.0), ("nvidia_l40s", 45153.2)],
)
def test_resnet50_of_gpus_comes_within_20_percent_without_a_fitted_number(name: str, published: float) -> None:
    assert offline(device(chips.load(name)), network_of("resnet50")).per_second == pytest.approx(published, rel=0.2)


def test_a_single_query_fills_no_gpu() -> None:
    card = device(chips.load("nvidia_a100_pcie"))
    alone = single_stream(card, network_of("resnet50"))
    assert alone.per_second < 0.3 * offline(card, network_of("resnet50")).per_second
    on_the_card = alone.time - alone.bound["host"]  # what the host does for a query is a term of its own
    assert alone.bound["fill"] > 0.3 * on_the_card
