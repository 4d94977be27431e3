"""Closed form = stepped model = RTL in Verilator: values, cycles, every label and every event count."""

from dataclasses import dataclass

import numpy as np
import pytest

from hw import chips
from hw.rtl.emit.verilog import emit
from hw.rtl.npu.core_top import CoreTop
from hw.spec.core import CoreSpec
from hw.spec.mac_array import MacArraySpec
from hw.spec.npu_event import EVENTS, LABELS, VALUE_EVENTS
from model.cycle.npu.core import closed_form, step
from model.lowering import lower
from model.work.workload import Gemm
from tb.bench.build import BUILD, build
from tb.bench.protocol import Checked
from tb.bench.run import run
from tb.npu.agreement_tests import MEMORIES, PORTS, Case, parameters

Shape = tuple[int, int, int]

MEMORY_SIDE = {"weight_missing", "activation_missing", "copy"}
"""Labels of cycles that only copies cause; `test_memory_side.py` reaches them."""

# Not square, deeper cells, and a ring of accumulators small enough to fill up
DEEP = CoreSpec(
    array=MacArraySpec(rows=8, columns=4, mac_latency=2),
    activation_words=2048,
    weight_words=2048,
    accumulator_rows=32,
    output_words=2048,
    command_entries=4,
)

CORES = [("tiny", 1000), ("deep_8x4", 2000), ("npu_16", 3000)]
"""Core, seed of what is run on it."""


def _spec(name: str) -> CoreSpec:
    core = DEEP if name == "deep_8x4" else chips.load(name).core
    assert core is not None
    return core


def _edges(core: CoreSpec) -> list[Shape]:
    """One, one less, exactly, one more than the array and the accumulator block, in each direction."""
    R, C, B = core.array.rows, core.array.columns, core.block_rows
    return [
        (1, 1, 1),
        (1, C, R),
        (R, C, R),
        (R - 1, C - 1, R - 1),
        (R + 1, C + 1, R + 1),
        (1, 3 * C, 3 * R),
        (2 * R, 2 * C, 2 * R),
        (R // 2, 2 * C + 1, 2 * R - 1),
        (3 * R + 1, C, 5 * R + 2),
        (B, C, R),
        (B + 1, C + 1, R + 1),
        (2 * B - 1, 2, 3),
        (7, 13, 11),
        (17, 5, 23),
        (3, 29, 2),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chains:
    """What is run on one core."""

    edges: list[Case]
    queued: list[Case]
    stalled: list[Case]

    @property
    def all(self) -> list[Case]:
        return [*self.edges, *self.queued, *self.stalled]


def _chains(core: CoreSpec, seed: int) -> _Chains:
    rng = np.random.default_rng(seed)
    size = 3 * max(core.array.rows, core.array.columns)

    def draw(count: int) -> list[Shape]:
        while True:
            m, n, k = (rng.integers(1, size + 1, count).tolist() for _ in range(3))
            shapes = list(zip(m, n, k, strict=True))
            commands = [lower.split(core, Gemm(name="drawn", m=m, n=n, k=k))[0].command for m, n, k in shapes]
            if len(lower.place(core, commands)) == 1:
                return shapes

    edges = [Case(shapes=[shape], seed=seed + i, offered=[0], blocked={}) for i, shape in enumerate(_edges(core))]
    queued = [
        Case(shapes=shapes, seed=seed + 100 + i, offered=[0] * len(shapes), blocked={})
        for i, shapes in enumerate([*(draw(count) for count in (2, 3, 5)), [(1, 1, 1)] * 30])
    ]
    stalled = []
    for i in range(14):
        shapes = draw(int(rng.integers(1, 5)))
        late = i % 3 == 2
        offered = np.sort(rng.integers(0, 400 if late else 1, len(shapes)))
        blocked = {port: float(rng.choice([0.0, 0.1, 0.5, 0.9])) for port in PORTS}
        stalled.append(
            Case(
                shapes=shapes,
                seed=seed + 200 + i,
                offered=(offered - offered[0]).tolist(),
                blocked=blocked,
                stalled_cycles=int(rng.integers(50, 3000)),
            )
        )
    # One port nearly shut at a time: each wait is reached
    for i, port in enumerate(PORTS):
        stalled.append(
            Case(
                shapes=[(2 * core.block_rows, core.array.columns, core.array.rows)] * 2,
                seed=seed + 300 + i,
                offered=[0, 0],
                blocked={port: 0.95},
                stalled_cycles=2500,
            )
        )
    return _Chains(edges=edges, queued=queued, stalled=stalled)


@pytest.mark.rtl
@pytest.mark.parametrize(("name", "seed"), CORES)
def test_rtl_is_the_stepped_model_is_the_closed_form(name: str, seed: int) -> None:
    core = _spec(name)
    chains = _chains(core, seed)
    cases = chains.all
    if name == "npu_16":
        cases.append(Case(shapes=[(256, 256, 256)], seed=1, offered=[0], blocked={}))
    counters = _counters(core, cases)

    reached = dict.fromkeys(LABELS, 0)
    for case, counted in zip(cases, counters, strict=True):
        timing = step(core, case.shapes, case.patterns(), case.offered)
        expected = {"busy": timing.cycles, **timing.budget, **timing.counts}
        assert counted == expected, {
            name: (counted[name], expected[name]) for name in counted if counted[name] != expected[name]
        }
        if not case.blocked and not any(case.offered):
            assert timing == closed_form(core, case.shapes), case
        reached = {label: reached[label] + counted[label] for label in LABELS}
    unreached = {label for label, cycles in reached.items() if not cycles}
    assert unreached == MEMORY_SIDE, f"every label is reached but those of copies: {reached}"
    assert sum(len(case.shapes) for case in cases) >= 60


@pytest.mark.rtl
def test_large_gemms_on_16_x_16_reach_their_utilisation_on_the_rtl() -> None:
    core = _spec("npu_16")
    sizes = (256, 512)
    cases = [Case(shapes=[(size, size, size)], seed=2, offered=[0], blocked={}) for size in sizes]
    for size, counted, cycles, least in zip(
        sizes, _counters(core, cases), (65_593, 524_345), (0.999, 0.9997), strict=True
    ):
        assert counted["busy"] == cycles
        assert counted["stream"] / counted["busy"] >= least
        assert counted["mac_array.mac"] == size**3


def test_the_chains_hold_60_distinct_shapes_of_every_kind() -> None:
    everywhere: set[Shape] = set()
    for name, seed in CORES:
        rows, chains = _spec(name).array.rows, _chains(_spec(name), seed)
        shapes = {shape for case in chains.all for shape in case.shapes}
        stalled = {shape for case in chains.stalled for shape in case.shapes}
        everywhere |= shapes
        assert len(stalled) >= 30
        assert min(sum(m == 1 for m, _, _ in shapes), sum(m < rows for m, _, _ in shapes)) >= 3
        assert sum(k % rows != 0 for _, _, k in shapes) >= 40
        assert sum(len(case.shapes) > 1 for case in chains.all) >= 15
        assert set().union(*(case.blocked for case in chains.stalled)) == set(PORTS)
    assert len(everywhere) >= 150


def test_counters_and_models_name_the_same_things() -> None:
    timing = closed_form(_spec("tiny"), [(1, 1, 1)])
    assert set(timing.budget) == set(LABELS)
    assert set(timing.counts) == set(EVENTS) - set(VALUE_EVENTS)


def _counters(core: CoreSpec, cases: list[Case]) -> list[dict[str, int]]:
    """The counters of the RTL after each case; fails with the simulator's words if a value is wrong."""
    built = build(
        emit(Checked(CoreTop(core)), "core_top", BUILD / "rtl"),
        public=[f"core_top.dut.{path}" for path in MEMORIES.values()],
    )
    outcome = run(built, "tb.npu.agreement_tests", seed=1, parameters=parameters(core, cases))
    assert outcome.passed, outcome.explain()
    return outcome.data["counters"]
