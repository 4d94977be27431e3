"""The stepped model against the closed form, and both against what can be said without them."""

import random
import time

import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.core import CoreSpec
from hw.spec.mac_array import Drain, MacArraySpec
from hw.spec.npu_event import LABELS
from model.cycle.npu.core import closed_form, step
from model.cycle.npu.stepper import PORTS
from model.cycle.npu.timing import TIMED_EVENTS


def _core(
    rows: int, columns: int, latency: int = 1, accumulator_rows: int = 2, double: bool = True, overlap: bool = True
) -> CoreSpec:
    while accumulator_rows < rows * latency + columns + 2:
        accumulator_rows *= 2
    return CoreSpec(
        array=MacArraySpec(
            rows=rows, columns=columns, mac_latency=latency, weight_double_buffer=double, fold_overlap=overlap
        ),
        activation_words=1024,
        weight_words=1024,
        accumulator_rows=accumulator_rows,
        output_words=1024,
    )


def _draw(rng: random.Random) -> tuple[CoreSpec, list[tuple[int, int, int]]]:
    """A core and a chain of GEMMs; small sizes often, so that M < R, M = 1 and ragged edges are common."""
    core = _core(
        rng.randint(2, 40),
        rng.randint(2, 40),
        rng.choice([1, 1, 2, 3, 5, 8]),
        rng.choice([2, 64, 512]),
        rng.random() < 0.7,
        rng.random() < 0.8,
    )
    size = rng.choice([3, 20, 100])
    jobs = [
        (rng.randint(1, size), rng.randint(1, size), rng.randint(1, size)) for _ in range(rng.choice([1, 1, 2, 3, 30]))
    ]
    return core, jobs


def test_stepped_model_is_the_closed_form_on_2000_random_chains() -> None:
    rng = random.Random(2026)
    for _ in range(2000):
        core, jobs = _draw(rng)
        assert step(core, jobs) == closed_form(core, jobs), (core, jobs)


FORMATS = [
    ("int8", "int8"),
    ("int4", "int4"),
    ("int8", "int4"),
    ("int4", "int8"),
    ("fp16", "fp16"),
    ("bf16", "bf16"),
    ("fp8_e4m3", "fp8_e5m2"),
    ("fp8_e5m2", "bf16"),
]


def _draw_any(rng: random.Random) -> tuple[CoreSpec, list[tuple[int, int, int]]]:
    """A core of either dataflow, any switches and formats, with one GEMM or a chain."""
    dataflow = rng.choice(["ws", "ws", "os"])
    activation, weight = rng.choice(FORMATS)
    latency = 1 if dataflow == "os" and activation.startswith("int") else rng.randint(1, 8)
    array = MacArraySpec(
        rows=rng.randint(2, 40),
        columns=rng.randint(2, 40),
        dataflow=dataflow,
        activation_format=activation,
        weight_format=weight,
        mac_latency=latency,
        weight_double_buffer=rng.random() < 0.6,
        fold_overlap=rng.random() < 0.7 or (dataflow == "os" and latency > 1),
        drain=rng.choice(["columns", "link"]),
    )
    least = 2 * array.rows + array.finish_latency if dataflow == "os" else array.rows * array.mac_latency
    core = CoreSpec(
        array=array,
        activation_words=1024,
        weight_words=1024,
        output_words=1024,
        accumulator_rows=max(rng.choice([2, 64, 512]), 1 << (least + array.columns + 1).bit_length()),
        command_entries=rng.choice([2, 4, 16]),
        output_format="fp32" if array.is_floating_point else "int8",
    )
    size = rng.choice([3, 20, 60])
    return core, [
        (rng.randint(1, size), rng.randint(1, size), rng.randint(1, size)) for _ in range(rng.choice([1, 1, 2, 5]))
    ]


def test_stepped_model_is_the_closed_form_on_10_000_random_configurations() -> None:
    rng = random.Random(41)
    for _ in range(10_000):
        core, jobs = _draw_any(rng)
        assert step(core, jobs) == closed_form(core, jobs), (core, jobs)


def test_stepping_row_by_row_changes_nothing_without_stalls() -> None:
    rng = random.Random(7)
    for _ in range(200):
        core, jobs = _draw_any(rng)
        # a pattern that blocks only cycle 0, in which nothing can move
        assert step(core, jobs, {"output_blocked": [True]}) == closed_form(core, jobs), (core, jobs)


def test_labels_sum_to_the_cycles_under_random_stalls_and_late_commands() -> None:
    rng = random.Random(8)
    for _ in range(300):
        core, jobs = _draw_any(rng)
        chance = rng.choice([0.1, 0.5, 0.9])
        stalls = {port: [rng.random() < chance for _ in range(2000)] for port in PORTS}
        offered = sorted(rng.randint(0, 3000) for _ in jobs)
        timing = step(core, jobs, stalls, offered)
        assert sum(timing.budget.values()) == timing.cycles
        assert min(timing.budget.values()) >= 0
        assert set(timing.budget) == set(LABELS)
        assert set(timing.counts) == set(TIMED_EVENTS)
        free = closed_form(core, jobs)
        host = {"activation_memory.write", "weight_memory.write", "command.queue_empty", "output_stage.drain_block"}
        assert {e: n for e, n in timing.counts.items() if e not in host} == {
            e: n for e, n in free.counts.items() if e not in host
        }


def test_a_late_command_costs_its_own_chain() -> None:
    core = _core(4, 4)
    alone = closed_form(core, [(5, 8, 8)])
    timing = step(core, [(5, 8, 8), (5, 8, 8)], offered=[0, 10_000])
    assert timing.cycles == 2 * alone.cycles
    assert timing.budget == {label: 2 * cycles for label, cycles in alone.budget.items()}


@pytest.mark.parametrize("port", PORTS)
def test_blocking_one_more_cycle_never_helps(port: str) -> None:
    rng = random.Random(9)
    core, jobs = _core(4, 6), [(9, 13, 11), (2, 3, 4), (20, 7, 5)]
    before = step(core, jobs).cycles
    pattern = [False] * 400
    for _ in range(60):
        pattern[rng.randrange(400)] = True
        after = step(core, jobs, {port: pattern}).cycles
        assert after >= before
        before = after


@pytest.mark.parametrize(("size", "cycles", "least"), [(256, 65_593, 0.999), (512, 524_345, 0.9997)])
def test_utilisation_of_square_gemms_on_16_x_16(size: int, cycles: int, least: float) -> None:
    core = chips.load("npu_16").core
    assert core is not None
    timing = closed_form(core, [(size, size, size)])
    assert timing.cycles == cycles
    assert timing.utilisation >= least
    assert timing.counts["mac_array.mac"] == size**3


def test_chained_commands_pay_the_constant_once() -> None:
    core = chips.load("npu_16").core
    assert core is not None
    one, ten = closed_form(core, [(64, 64, 64)]).cycles, closed_form(core, [(64, 64, 64)] * 10).cycles
    assert ten - one == 9 * 64 * 4 * 4


def test_stepping_512_cubed_on_16_x_16_takes_at_most_20_ms() -> None:
    core = chips.load("npu_16").core
    assert core is not None
    best = 1.0
    for _ in range(5):
        start = time.process_time()
        step(core, [(512, 512, 512)])
        best = min(best, time.process_time() - start)
    assert best <= 0.020


@pytest.mark.parametrize(
    ("jobs", "message"),
    [
        ([], "at least one GEMM"),
        ([(0, 1, 1)], "at least 1"),
        ([(1, 1, 131072)], "k must be at most 131071"),
    ],
)
def test_jobs_that_cannot_run_are_refused(jobs: list[tuple[int, int, int]], message: str) -> None:
    core = _core(4, 4)
    for model in (closed_form, step):
        with pytest.raises(InputError, match=message):
            model(core, jobs)


def test_an_unknown_stall_and_unordered_offers_are_refused() -> None:
    core = _core(4, 4)
    with pytest.raises(InputError, match="activation_blocked, weight_blocked, output_blocked, not 'dram'"):
        step(core, [(1, 1, 1)], {"dram": [True]})
    with pytest.raises(InputError, match="offered must hold 2 cycles"):
        step(core, [(1, 1, 1)] * 2, offered=[3, 1])


def test_a_ring_too_small_for_the_array_is_refused() -> None:
    with pytest.raises(InputError, match="accumulator_rows must be at least 34"):
        CoreSpec(
            array=MacArraySpec(rows=16, columns=16),
            activation_words=64,
            weight_words=64,
            accumulator_rows=32,
            output_words=64,
        )


def test_output_stationary_arrays_refuse_what_a_cell_cannot_add() -> None:
    with pytest.raises(InputError, match="output-stationary integer array must be 1"):
        MacArraySpec(rows=4, columns=4, dataflow="os", mac_latency=2)
    with pytest.raises(InputError, match="fold_overlap must be true where 4 folds are interleaved"):
        MacArraySpec(
            rows=4,
            columns=4,
            dataflow="os",
            activation_format="bf16",
            weight_format="bf16",
            mac_latency=4,
            fold_overlap=False,
        )


@pytest.mark.parametrize(
    ("latency", "k", "cycles"),
    [
        (1, 64, 3 + 16 * 64 + 1 + 47 + 6),
        # four folds in turn: 16 of 64 words, the last four end 17 cycles apart instead of together
        (4, 64, 3 + 1 + 63 * 4 + 15 * 17 + 3 * 4 * (64 - 17) + 4 + 47 + 6),
        (4, 1, 3 + 1 + 15 * 16 + 4 + 47 + 6),
    ],
)
def test_interleaved_floating_point_by_hand(latency: int, k: int, cycles: int) -> None:
    array = MacArraySpec(
        rows=16, columns=16, dataflow="os", activation_format="bf16", weight_format="bf16", mac_latency=latency
    )
    core = CoreSpec(
        array=array,
        activation_words=1024,
        weight_words=1024,
        accumulator_rows=64,
        output_words=1024,
        output_format="fp32",
    )
    assert closed_form(core, [(64, 64, k)]).cycles == cycles


@pytest.mark.parametrize(
    ("drain", "overlap", "cycles"),
    [
        ("columns", True, 3 + 16 * 64 + 47 + 6),
        ("link", True, 3 + 16 * 64 + 32 + 6),
        ("columns", False, 3 + 16 * (64 + 47) + 6),
        ("link", False, 3 + 16 * (64 + 32) + 6),
    ],
)
def test_output_stationary_core_by_hand(drain: Drain, overlap: bool, cycles: int) -> None:
    array = MacArraySpec(rows=16, columns=16, dataflow="os", drain=drain, fold_overlap=overlap)
    core = CoreSpec(array=array, activation_words=1024, weight_words=1024, accumulator_rows=64, output_words=1024)
    assert closed_form(core, [(64, 64, 64)]).cycles == cycles
