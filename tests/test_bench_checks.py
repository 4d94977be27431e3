"""What benches draw, check and print, on input made by hand: without a simulator and without the tools they call."""

import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Fragment

from hw import chips
from hw.base.error import InputError
from hw.gates import library, timing
from hw.gates.library import Wire
from hw.rtl.arithmetic.fp_lane import FpLane
from hw.rtl.dram_pim.aim.top import channel as aim_channel
from hw.rtl.dram_pim.hbm_pim.top import channel as hbm_pim_channel
from hw.spec.command import Command
from hw.spec.core import CoreSpec
from hw.spec.pim import PimSpec
from hw.spec.vector import VectorSpec
from model.cycle.npu.core import closed_form
from model.cycle.npu.predict import shape_of
from model.cycle.system.controller import Issued, Need
from model.functional.verdict import verdict
from model.lowering.schedule import schedule
from model.work.workload import Gemm
from tb.arithmetic import fp_mac_tests, softfloat
from tb.arithmetic.fp_vectors import FLOATS
from tb.bench.build import BUILD
from tb.dram_pim import bench as pim_bench
from tb.dram_pim.aim_random import UNKNOWN, RandomAimStreams
from tb.dram_pim.checker import broken_rules
from tb.dram_pim.driver import DATA_WORDS, STREAM_WORDS, PimDriver, Played
from tb.gates import floating, pim_unit, transistors, whole_core
from tb.gates import timing as second_timing
from tb.gates import vector as vector_gates
from tb.npu import core_tests, table
from tb.system.controller_tests import same_trace
from tb.system.devices import system
from tb.system.random_programs import RandomPrograms
from tests.support.in_python import play


def _pim(chip: str) -> PimSpec:
    return chips.machine(chips.load(chip), PimSpec, "this test")


# ---- streams of DRAM commands


def test_random_streams_of_aim_go_forward_in_time_and_hold_unknown_commands() -> None:
    spec = _pim("aim")
    seen: Counter[str] = Counter()
    for seed in range(4):
        walk = RandomAimStreams(spec, spec.dram.resolve(), {}, np.random.default_rng(seed), rows=64)
        commands = walk.stream(150).commands
        times = [command.cycle for command in commands]
        assert times == sorted(set(times)), "one command a cycle, each after the one before"
        seen.update(command.name for command in commands)
    assert seen[UNKNOWN] > 0


def test_the_fifth_activate_in_a_window_breaks_the_rule_and_the_one_after_it_does_not() -> None:
    spec = _pim("hbm_pim")
    resolved = spec.dram.resolve()
    rules = [rule for rule in resolved.rules if rule.window > 1]
    assert rules
    for rule in rules:
        alone = SimpleNamespace(rules=[rule])
        for late, broken in ((rule.cycles - 1, True), (rule.cycles, False)):
            times = [*range(rule.window), late]
            trace = [(cycle, rule.before[0], (bank,)) for bank, cycle in enumerate(times)]
            found = broken_rules(alone, spec.dram.organisation, trace)  # pyright: ignore[reportArgumentType]
            assert bool(found) == broken


@pytest.mark.parametrize(("commands", "words"), [(STREAM_WORDS + 1, 0), (DATA_WORDS, DATA_WORDS)])
def test_a_stream_beyond_the_players_memories_is_refused(commands: int, words: int) -> None:
    driver = PimDriver.__new__(PimDriver)
    driver.bench = SimpleNamespace(dut=None)  # type: ignore[assignment]
    stream = [Played(i, "WR", data=0 if i < words else None) for i in range(commands)]
    with pytest.raises(ValueError, match=f"not {commands} and {words}"):
        driver.play(stream).send(None)


@pytest.mark.parametrize("kind", ["hbm_pim", "aim"])
def test_a_bench_takes_the_device_of_its_kind_and_no_other(kind: str) -> None:
    assert pim_bench.spec_of(chips.load(kind), kind).kind == kind
    for other in ("tiny", "aim" if kind == "hbm_pim" else "hbm_pim"):
        with pytest.raises(InputError, match=f"the {kind} bench needs a chip with an .* choose one of"):
            pim_bench.spec_of(chips.load(other), kind)


@pytest.mark.parametrize(("device", "channel"), [("aim", aim_channel), ("hbm_pim", hbm_pim_channel)])
def test_the_channel_of_a_bench_has_as_many_rows_as_its_streams_use(device: str, channel: Any) -> None:
    spec = _pim(device)
    rows = channel.__globals__["ROWS"]
    made = channel(spec, spec.dram.resolve())
    assert made.banks.banks[0].cells.depth == rows * spec.dram.organisation.columns
    Fragment.get(made, None)


@pytest.mark.parametrize("field", range(6))
def test_every_part_of_a_command_on_the_port_is_compared(field: int) -> None:
    need = Need(act="MAC16", label="mac", bank=1, row=2, column=3, accumulator=4)
    issued = [
        Issued(cycle=10, name="ACT", bank=1, row=2, need=None),
        Issued(cycle=20, name="MAC16", bank=1, row=2, need=need),
    ]
    right = [(10, "ACT", 1, 2, 0, 0), (20, "MAC16", 1, 2, 3, 4)]
    same_trace("here", right, issued)
    which = 0 if field == 3 else 1
    wrong: list[Any] = list(right)
    wrong[which] = tuple(
        value if place != field else "RD" if isinstance(value, str) else value + 1
        for place, value in enumerate(right[which])
    )
    with pytest.raises(AssertionError, match="here"):
        same_trace("here", wrong, issued)
    with pytest.raises(AssertionError, match="1 commands were issued, not 2"):
        same_trace("here", right[:1], issued)


# ---- arithmetic and the core


@pytest.mark.parametrize("row", [0, 59])
def test_the_bench_of_a_lane_compares_the_first_and_the_last_row(row: int, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = softfloat.f32_mul_add

    def spoilt(*operands: np.ndarray) -> np.ndarray:
        sums = exact(*operands).copy()
        sums[row] ^= 1
        return sums

    monkeypatch.setattr(softfloat, "f32_mul_add", spoilt)
    with pytest.raises(AssertionError, match=f", row {row}: a "):
        play(
            FpLane(FLOATS, FLOATS, latency=2), fp_mac_tests,
            "one_sum_per_cycle_equals_softfloat_for_every_pair_and_class", {},
        )  # fmt: skip


def test_a_wrong_value_with_all_events_right_is_sought_in_the_arithmetic() -> None:
    core = chips.machine(chips.load("tiny"), CoreSpec, "this test")
    batches = schedule(core, [Gemm(name="one", m=8, n=8, k=8)], queued=False, sources=[None])
    timing = closed_form(core, [shape_of(core, step) for step in batches[0]])
    counts = dict.fromkeys(core_tests.EVENTS, 0) | dict(timing.counts)
    suspect = core_tests._suspect
    assert "the arithmetic" in suspect(core, batches, counts, timing.cycles)
    assert "sequencer" in suspect(core, batches, counts, timing.cycles + 1)
    event = next(e for e in core_tests.EVENTS if e not in core_tests.VALUE_EVENTS and counts[e])
    assert f"{event} was counted" in suspect(core, batches, counts | {event: counts[event] + 1}, timing.cycles)


def test_the_page_of_benchmarks_has_a_row_for_every_size() -> None:
    rows = re.findall(r"^\| (\d+) x (\d+) \|", table.PATH.read_text(), re.MULTILINE)
    assert [(int(a), int(b)) for a, b in rows] == [(size, size) for size in table.SIZES]


# ---- gates


def test_published_densities_are_those_of_their_multipliers_clock_and_area() -> None:
    seen = 0
    for one in whole_core.PUBLISHED:
        multipliers = re.search(r", (\d+)(?: FMA| x (\d+)$)", one.name)
        if multipliers and one.clock_ghz and one.area_mm2 and one.tera_operations_per_mm2:
            count = int(multipliers[1]) * int(multipliers[2] or 1)
            assert one.tera_operations_per_mm2 == pytest.approx(2e-3 * count * one.clock_ghz / one.area_mm2)
            seen += 1
    assert seen >= 2


@pytest.mark.parametrize("name", ["random", "trained-like", "zeros"])
def test_operands_of_the_floating_point_array_can_be_multiplied(name: str) -> None:
    array: Any = SimpleNamespace(rows=6, number="bf16")
    a, w = floating.FloatArray.operands(array, name, 1)
    assert a.shape[1] == w.shape[0] == floating.TILES * 6


def test_what_a_vector_lane_does_in_a_cycle_is_done_without_registers(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    def block(component: Any, name: str, *rest: Any) -> Any:
        made.append(component)
        return SimpleNamespace(netlist=SimpleNamespace(inputs={}))

    monkeypatch.setattr(vector_gates, "Block", block)
    monkeypatch.setattr(vector_gates, "measured", lambda *given: None)
    assert len(list(vector_gates.units(None, BUILD, 1))) == 6  # type: ignore[arg-type]

    def clocked(fragment: Any) -> bool:
        return "sync" in fragment.statements or any(clocked(inner) for inner, _, _ in fragment.subfragments)

    assert [clocked(Fragment.get(component, None)) for component in made] == [False] * len(made)


def test_the_data_bus_of_a_pim_unit_keeps_its_last_word_while_commands_run() -> None:
    spec = _pim("hbm_pim")
    work = pim_unit._hbm_pim_work(spec, np.random.default_rng(1), 4)
    loads = 2 * spec.register("GRF_A").entries
    data = work.streams["i_data"]
    assert len(data) > loads
    assert data[loads - 1].any()
    assert (data[loads:] == data[loads - 1]).all()


def test_a_block_as_transistors_has_time_to_settle_in_a_period(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ngspice gets a period that is longer than the longest path."""
    periods: list[tuple[float, float]] = []

    def energy(netlist: Any, times: Any, streams: Any, period: float, slew: float) -> float:
        periods.append((period, times.critical_ns))
        return 1.0

    monkeypatch.setattr(transistors, "BLOCKS", {"8-bit adder": transistors.BLOCKS["8-bit adder"]})
    monkeypatch.setattr(transistors.transistor, "energy_fj", energy)
    monkeypatch.setattr(transistors.transistor, "deck", lambda *given: f"this test {given[3]}")
    (found,) = transistors.check(library.load("mini45", tmp_path), tmp_path)
    assert found.transistors_fj == 1.0
    assert all(period > critical + 0.5 for period, critical in periods)


def test_both_timings_leave_wires_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the place of OpenSTA, which knows no wires, our own timing of a process without."""
    process = library.load("mini45", BUILD)

    def other(block: Any, process: Any) -> float:
        return timing.analyse(block.netlist, Wire(base_ff=0, per_fanout_ff=0), process.input_slew_ns).critical_ns

    monkeypatch.setattr(second_timing, "BLOCKS", {"8-bit adder": second_timing.BLOCKS["8-bit adder"]})
    monkeypatch.setattr(second_timing, "opensta", other)
    (found,) = second_timing.compare(process, BUILD)
    assert found.difference == 0


def test_products_of_random_programs_have_all_sizes_and_are_carried_out_but_for_a_few() -> None:
    spec, _ = system("aim_4")
    vector = VectorSpec(memory_words=spec.shared_words)
    programs = RandomPrograms(spec=spec, rng=np.random.default_rng(1), vector=vector)
    rows: Counter[int] = Counter()
    refused = 0
    for _ in range(20):
        for added in programs.draw(40).commands:
            if added.unit == "core" and isinstance(added.command, Command):
                rows[added.command.m] += 1
                refused += verdict(spec.core, added.command.pack()) != 0
    assert set(rows) == set(range(13)), "0 is refused"
    assert rows[0] == refused < rows.total() / 4
